/** Something that is needed and cannot be had here; the message is one line for people. */
export class Missing extends Error {}
