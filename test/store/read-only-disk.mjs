// Salvages a store on a read-only file system, and opens it for reading: node read-only-disk.mjs DIRECTORY NEWDIR
import { openLevelLog, salvageStore } from "../../dist/store/index.js";

const [directory, to] = process.argv.slice(2);
const refusal = ({ code, message }) => ({ code, message });
const salvage = await salvageStore(directory, to).then(({ kept }) => ({ kept: String(kept.seq) }), refusal);
const opening = await openLevelLog(directory, { readOnly: true }).then(() => "success", refusal);
console.log(JSON.stringify({ salvage, opening }));
