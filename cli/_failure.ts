/** Why a command could not be done, as a sentence for its user. */
export class Failure extends Error {}

/** The user does not want the answer any more. */
export class InterruptFailure extends Failure {}

/** The command line is wrong, which is no fault of the target. */
export class UsageFailure extends Failure {}
