// Package arch tests the rules of the architecture: the direction of imports, the
// places where C and unsafe are allowed, and that every package has a comment.
package arch
