package main

import "log"

// console stands for a test where there is none: what fails ends the program,
// and what is to be cleaned up goes with it.
type console struct{}

func (*console) Helper()                           {}
func (*console) Cleanup(func())                    {}
func (*console) Skip(args ...any)                  { log.Fatal(args...) }
func (*console) Errorf(format string, args ...any) { log.Fatalf(format, args...) }
func (*console) Fatalf(format string, args ...any) { log.Fatalf(format, args...) }
