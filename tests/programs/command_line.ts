// The command line, as a program.
import process from "node:process";
import { main } from "@asyncio/asyncio/cli";

const [first = ""] = process.argv.slice(2);
process.exitCode = await main(process.argv.slice(first === "--" ? 3 : 2));
