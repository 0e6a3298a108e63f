/** A tool that a step needs and that is not available here; the message is one line for people. */
export class Missing extends Error {}
