/**
 * A child whose stderr goes where its stdout does. Neither host has a word for
 * that, so a shell redirects and then replaces itself with the program: one
 * process, its own arguments, and one open file behind both streams, so that
 * their order is kept.
 *
 * A shell drops variables whose names it does not like, and has its own ideas of
 * others. Those go past it: as arguments of `env`, between the shell and the
 * program. All others stay off the command line, which everyone can read.
 */
import type { HostCommand } from "../types/children.ts";

/** The program is `$0`, so that it sees itself under the name that it was given. */
const PLAIN = 'exec "$0" "$@" 2>&1';

const ENV = "/usr/bin/env";

/** What some shell or other sets, counts or counts on. */
const SHELLS_OWN_REGEXP = new RegExp(
  "^(?:_|IFS|PWD|OLDPWD|SHLVL|PPID|OPT(?:IND|ARG|ERR)|PS[0-4]|LINENO|" +
    "S?RANDOM|SECONDS|EPOCH\\w*|E?[UG]ID|GROUPS|HOST(?:NAME|TYPE)|MACHTYPE|" +
    "OSTYPE|HIST\\w*|BASH\\w*|SHELLOPTS|COMP\\w*|DIRSTACK|FUNCNAME|" +
    "PIPESTATUS|KSH\\w*|TMOUT|COLUMNS|LINES|POSIXLY_CORRECT|ENV)$",
);

const NAME_REGEXP = /^[A-Za-z_]\w*$/;

/** What a shell adds to the environment by itself. */
const ADDED = ["OLDPWD", "PWD", "SHLVL", "_"];

function passesShell(name: string): boolean {
  return NAME_REGEXP.test(name) && !SHELLS_OWN_REGEXP.test(name);
}

/**
 * The command of the shell.
 *
 * @param path Where the program was found.
 * @param env The environment of the child; `null` if it cannot be read.
 */
export function redirected(
  command: HostCommand,
  path: string,
  env: Readonly<Record<string, string | undefined>> | null,
): HostCommand {
  const names = Object.keys(env ?? {});
  const beside = names.filter((name) => !passesShell(name));
  const unset = env === null ? "" : `unset ${ADDED.join(" ")}; `;
  // A shell takes what begins with a dash for an option, and so does `env`.
  const program = command.program.startsWith("-") ? path : command.program;
  const shell: HostCommand = {
    ...command,
    program: "/bin/sh",
    args: ["-c", unset + PLAIN, program, ...command.args],
    // What the shell itself could say goes where the program's stderr does.
    stderr: command.stdout === "pipe" ? "null" : "inherit",
  };
  if (env === null || beside.length === 0) return shell;
  const through = names.filter(passesShell);
  return {
    ...shell,
    args: [
      "-c",
      `${unset}exec ${ENV} "$@" 2>&1`,
      "sh",
      ...beside.map((name) => `${name}=${env[name]}`),
      // `env` would take such a program for a variable.
      ...(program.includes("=") ? ["nice", "-n", "0"] : []),
      program,
      ...command.args,
    ],
    env: Object.fromEntries(
      through.map((name) => [name, env[name]!] as const),
    ),
  };
}
