// A worker that needs no permission, is never ready, and stays.
console.log("up");
setInterval(() => {}, 60_000);
