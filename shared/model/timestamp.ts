/** The latest moment a JavaScript `Date` can hold, in milliseconds since 1970: the limit of every timestamp here. */
export const MAX_TIMESTAMP = 8.64e15;
