package main

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"strconv"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"gomapi/mapi"
)

// roleVariable has the number of a role in processes that play one.
const roleVariable = "SOAK_ROLE"

// firstUID is the first of the users. There are some programs for each.
const firstUID, users = 20001, 4

// idleCode is the exit code of a program that could make no flow.
const idleCode = 7

// play runs a role until the process is killed, or for some seconds. The arguments are the
// directory and the socket.
func play(role string) {
	n, err := strconv.Atoi(role)
	if err != nil {
		panic(err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), rand.N(10*time.Second))
	defer cancel()
	l := &life{ctx: ctx, dir: os.Args[1], random: rand.New(rand.NewPCG(rand.Uint64(), 1)), client: &mapi.Client{Socket: os.Args[2]}}
	defer l.client.Close()
	defer func() {
		if l.made == 0 {
			os.Exit(idleCode)
		}
	}()
	for ctx.Err() == nil {
		roles[n%len(roles)](l)
		if l.random.IntN(4) == 0 {
			l.client.Close()
			l.client = &mapi.Client{Socket: os.Args[2]}
		}
		l.pause(100 * time.Millisecond) // also if everything is refused
	}
}

// A population is programs that come and go.
type population struct {
	places        sync.WaitGroup
	lives, killed atomic.Int64
	idle          atomic.Int64 // programs that could make no flow
}

// startPrograms keeps so many programs running until ctx ends.
func startPrograms(ctx context.Context, n int, dir, socket string) *population {
	p := &population{}
	for i := range n {
		p.places.Go(func() {
			for life := 0; ctx.Err() == nil; life++ {
				p.live(ctx, i+life*n, firstUID+i%users, dir, socket)
			}
		})
	}
	return p
}

// live runs one program to its end. Every third is killed.
func (p *population) live(ctx context.Context, role, uid int, dir, socket string) {
	own := fmt.Sprintf("%s/%d", dir, uid)
	var st syscall.Stat_t
	if err := syscall.Stat(socket, &st); err != nil {
		fmt.Println("the socket is gone:", err)
		return
	}
	gid := st.Gid // of users who may connect
	_ = os.Mkdir(own, 0o755)
	_ = os.Chown(own, uid, int(gid))
	cmd := exec.CommandContext(ctx, "/proc/self/exe", own, socket)
	cmd.Env = append(os.Environ(), roleVariable+"="+strconv.Itoa(role))
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: uint32(uid), Gid: gid}}
	cmd.Stderr = os.Stderr
	if err := cmd.Start(); err != nil {
		fmt.Println("start a program:", err)
		sleep(ctx, time.Second)
		return
	}
	p.lives.Add(1)
	if role%3 == 0 {
		timer := time.AfterFunc(rand.N(5*time.Second), func() { p.killed.Add(1); _ = cmd.Process.Kill() })
		defer timer.Stop()
	}
	_ = cmd.Wait() // killed, or by an error: part of life
	if cmd.ProcessState.ExitCode() == idleCode {
		p.idle.Add(1)
	}
}

// wait waits for the last programs.
func (p *population) wait() { p.places.Wait() }
