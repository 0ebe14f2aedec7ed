// The generated code is what its .proto files say, and the .proto files are well formed.
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { root, run } from "./ensure.mjs";

const copy = mkdtempSync(join(tmpdir(), "heartwood-proto-"));
try {
  cpSync(join(root, "proto"), join(copy, "proto"), { recursive: true, filter: (path) => !path.endsWith("generated") });
  symlinkSync(join(root, "node_modules"), join(copy, "node_modules"));
  run("npx", ["--no-install", "buf", "build", join(copy, "proto"), "-o", join(copy, "image.binpb")]);
  const buf = join(root, "node_modules", ".bin", "buf");
  run("sh", ["-c", `cd '${join(copy, "proto")}' && '${buf}' generate`]);
  const [fresh, committed] = [join(copy, "proto", "generated"), join(root, "proto", "generated")];
  const names = new Set([...readdirSync(fresh), ...readdirSync(committed)]);
  const stale = [...names].filter((name) => read(fresh, name) !== read(committed, name));
  if (stale.length > 0) {
    process.stderr.write(`proto/generated is not what the .proto files say: ${stale.join(", ")}; run npm run proto\n`);
    process.exitCode = 1;
  }
} finally {
  rmSync(copy, { recursive: true, force: true });
}

function read(folder, name) {
  return readdirSync(folder).includes(name) ? readFileSync(join(folder, name), "utf8") : undefined;
}
