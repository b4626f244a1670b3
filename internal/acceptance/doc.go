// Package acceptance tests the whole system: the real mapid with its confined
// filter compiler, the public mapi package, and real captures. The references
// are tools that are independent of this project.
package acceptance
