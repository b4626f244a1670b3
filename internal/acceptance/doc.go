// Package acceptance holds tests of the whole: the real mapid with its confined
// filter compiler, the public mapi package, real captures, and tools that have
// nothing to do with this project as judges.
package acceptance
