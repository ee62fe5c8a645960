package flow

import (
	"runtime"
	"unsafe"

	"golang.org/x/sys/unix"
)

// reserve returns room for n flows that costs memory only as it is written.
// The garbage collector does not know it, nor counts it when it sets its pace:
// a Flow holds no pointer. It is given back after owner.
//
// Large pages, where the system grants them: a frame's flow is anywhere in
// the table, and what the processor remembers of the page tables covers some
// megabytes of small ones.
func reserve(n int, owner *Table) []Flow {
	b, err := unix.Mmap(-1, 0, n*int(unsafe.Sizeof(Flow{})), unix.PROT_READ|unix.PROT_WRITE, unix.MAP_PRIVATE|unix.MAP_ANON|unix.MAP_NORESERVE)
	if err != nil { // no address space: as much as the heap grants
		return make([]Flow, n)
	}
	_ = unix.Madvise(b, unix.MADV_HUGEPAGE)
	runtime.AddCleanup(owner, func(b []byte) { _ = unix.Munmap(b) }, b)
	return unsafe.Slice((*Flow)(unsafe.Pointer(unsafe.SliceData(b))), n)
}
