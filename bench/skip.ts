/** Thrown by a row on a peer that this machine cannot measure; the message says why. It is no failure. */
export class Skip extends Error {}
