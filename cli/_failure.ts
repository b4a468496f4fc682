/** Why a command could not be done, as a sentence for its user. */
export class Failure extends Error {}

/** The command line is wrong, which is no fault of the target. */
export class UsageFailure extends Failure {}
