/** A worker that leaves something behind, in a session of its own. */
import { spawn } from "node:child_process";

const stray = spawn("setsid", ["sleep", "60"], {
  stdio: ["ignore", "inherit", "inherit"],
});
stray.unref();
setInterval(() => {}, 1000);
console.log(`stray ${stray.pid}`);
