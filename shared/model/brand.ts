declare const brand: unique symbol;

/**
 * A value that has been checked to be what its name says. Only the parsers and hashers of `model/` make one, so a
 * string that came from outside cannot be taken for an id, nor one kind of id for another.
 */
export type Branded<T, Name extends string> = T & { readonly [brand]: Name };
