/** The page begins here. */

const app = document.getElementById("app");
if (app !== null) app.textContent = "Heartwood";
