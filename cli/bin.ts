#!/usr/bin/env node
import process from "node:process";
import { main } from "./mod.ts";

main(process.argv.slice(2)).then((status) => process.exit(status));
