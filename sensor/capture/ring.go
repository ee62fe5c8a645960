//go:build linux

package capture

import (
	"encoding/binary"
	"errors"
	"fmt"
	"runtime"
	"sync"
	"sync/atomic"
	"time"
	"unsafe"

	"golang.org/x/net/bpf"
	"golang.org/x/sys/unix"
)

const (
	// blockSize is the unit in which the kernel hands over the ring: it has to
	// hold the largest frame, and is a power of two times the page size.
	blockSize = 512 << 10
	// retire is how long the kernel fills a block before it hands it over
	// anyway, in milliseconds.
	retire = 40
	// restMost is how long the reader of a busy ring rests when it has caught
	// up. Waking for every block costs more than the frames in it: the
	// runtime's monitor looks every 20 µs, a system call each time, at a
	// process that wakes every few milliseconds.
	restMost = 10 * time.Millisecond
	// restRate is the bytes a second at which a rest may fill a quarter of the
	// ring: 10 Gbit/s.
	restRate = 1_250_000_000
)

// restFor is how long the reader of a ring of so many bytes may rest; 0 for
// one so small that it must not.
func restFor(size int) time.Duration {
	rest := min(time.Duration(size/4)*time.Second/restRate, restMost)
	if rest < time.Millisecond {
		return 0
	}
	return rest
}

// ring is a TPACKET_V3 ring: blocks of frames that kernel and process pass
// back and forth in shared memory. See Documentation/networking/packet_mmap.rst
// of the kernel. One goroutine reads; dropped may be called from another.
type ring struct {
	fd    int
	iface *iface
	link  LinkType
	mem   []byte
	block int    // the block that is read, or waited for
	left  uint32 // frames of it that were not lent yet
	at    int    // offset in mem of the next one
	held  bool   // block is ours
	busy  bool   // frames were lent since the last wait
	rest  time.Duration

	mu     sync.Mutex // over lost and the life of fd
	lost   uint64
	closed bool
}

// openRings opens one ring for each worker, with the same filter, joined by fanout.
func openRings(c Config, i *iface, workers int) ([]driver, error) {
	if i.any || !i.ringLink() {
		return nil, errors.New("driver ring reads Ethernet and raw IP interfaces; use driver: libpcap")
	}
	filter, err := ringFilter(c, i)
	if err != nil {
		return nil, err
	}
	var rings []driver
	for range workers {
		r, err := openRing(c, i)
		if err != nil {
			closeAll(rings)
			return nil, err
		}
		rings = append(rings, r)
	}
	if err := start(c, i, rings, filter); err != nil {
		closeAll(rings)
		return nil, err
	}
	return rings, nil
}

func closeAll(rings []driver) {
	for _, r := range rings {
		r.close()
	}
}

// openRing makes a socket that receives nothing yet.
func openRing(c Config, i *iface) (*ring, error) {
	fd, err := c.Sockets.take()
	if err != nil {
		return nil, err
	}
	link, _ := i.link()
	r := &ring{fd: fd, iface: i, link: link}
	if err := r.setUp(c); err != nil {
		r.close()
		return nil, err
	}
	return r, nil
}

// setUp sizes and maps the ring, and says what it is to receive.
func (r *ring) setUp(c Config) error {
	if err := unix.SetsockoptInt(r.fd, unix.SOL_PACKET, unix.PACKET_VERSION, unix.TPACKET_V3); err != nil {
		return fmt.Errorf("TPACKET_V3: %w", err)
	}
	if err := attach(r.fd, unix.SOL_SOCKET, unix.SO_ATTACH_FILTER, rejectAll); err != nil {
		return fmt.Errorf("attach filter: %w", err)
	}
	if c.IgnoreOutgoing || r.iface.arphrd == arphrdLoopback { // on lo every frame would be seen twice
		if err := unix.SetsockoptInt(r.fd, unix.SOL_PACKET, unix.PACKET_IGNORE_OUTGOING, 1); err != nil {
			return fmt.Errorf("ignore_outgoing: %w", err)
		}
	}
	blocks := max(int(c.RingSize)/blockSize, 2)
	req := unix.TpacketReq3{
		Block_size: blockSize, Block_nr: uint32(blocks),
		Frame_size: blockSize, Frame_nr: uint32(blocks), // only checked, not used, in version 3
		Retire_blk_tov: retire,
	}
	if err := unix.SetsockoptTpacketReq3(r.fd, unix.SOL_PACKET, unix.PACKET_RX_RING, &req); err != nil {
		return fmt.Errorf("ring of %s: %w", c.RingSize, err)
	}
	mem, err := unix.Mmap(r.fd, 0, blocks*blockSize, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_SHARED)
	if err != nil {
		return fmt.Errorf("map the ring: %w", err)
	}
	r.mem, r.rest = mem, restFor(len(mem))
	return nil
}

// rejectAll lets no frame pass. Until all rings have joined, each would
// otherwise be given every frame.
var rejectAll = []bpf.RawInstruction{{Op: retConstant, K: 0}}

// start binds the rings, joins them, makes the interface promiscuous, and
// opens them to what filter accepts.
func start(c Config, i *iface, rings []driver, filter []bpf.RawInstruction) error {
	spread, err := spreading(c)
	if err != nil {
		return err
	}
	group := noGroup
	for _, d := range rings {
		r := d.(*ring)
		if err := unix.Bind(r.fd, &unix.SockaddrLinklayer{Protocol: htons(unix.ETH_P_ALL), Ifindex: i.number}); err != nil {
			return fmt.Errorf("bind: %w", err)
		}
		if c.Promiscuous && i.arphrd == arphrdEther {
			m := unix.PacketMreq{Ifindex: int32(i.number), Type: unix.PACKET_MR_PROMISC}
			if err := unix.SetsockoptPacketMreq(r.fd, unix.SOL_PACKET, unix.PACKET_ADD_MEMBERSHIP, &m); err != nil {
				return fmt.Errorf("promiscuous: %w", err)
			}
		}
		if len(rings) > 1 {
			if group, err = join(r.fd, group, spread); err != nil {
				return err
			}
		}
	}
	for _, d := range rings {
		if err := attach(d.(*ring).fd, unix.SOL_SOCKET, unix.SO_ATTACH_FILTER, filter); err != nil {
			return fmt.Errorf("attach filter: %w", err)
		}
	}
	return nil
}

func htons(v uint16) uint16 {
	var b [2]byte
	be.PutUint16(b[:], v)
	return binary.NativeEndian.Uint16(b[:])
}

func (r *ring) name() Driver { return DriverRing }

// Offsets in a block's header (struct tpacket_block_desc) that are used here.
const (
	blockStatus = 8  // to_priv and version come before
	blockCount  = 12 // num_pkts
	blockFirst  = 16 // offset_to_first_pkt
)

func (r *ring) status() *uint32 {
	return (*uint32)(unsafe.Pointer(&r.mem[r.block*blockSize+blockStatus]))
}

// ready reports that the block was handed over.
func (r *ring) ready() bool { return atomic.LoadUint32(r.status())&unix.TP_STATUS_USER != 0 }

// next lends frames of one block. The block goes back to the kernel when the
// call after the one that lent its last frame is made.
func (r *ring) next(batch []Frame) (n int, down bool, err error) {
	if r.held && r.left == 0 {
		r.release()
	}
	if !r.held {
		if r.busy && !r.ready() {
			r.busy = false
			time.Sleep(r.rest)
		}
		if !r.ready() {
			if down, err = r.wait(); err != nil || down {
				return 0, down, err
			}
			if !r.ready() {
				return 0, false, nil
			}
		}
		r.busy = r.rest > 0
		b := r.mem[r.block*blockSize:][:blockSize]
		r.held = true
		r.left = binary.NativeEndian.Uint32(b[blockCount:])
		r.at = r.block*blockSize + int(binary.NativeEndian.Uint32(b[blockFirst:]))
	}
	return r.lend(batch), false, nil
}

// lend fills batch from the block that is held.
func (r *ring) lend(batch []Frame) (n int) {
	for n < len(batch) && r.left > 0 {
		h := (*unix.Tpacket3Hdr)(unsafe.Pointer(&r.mem[r.at]))
		start := r.at + int(h.Mac)
		f := &batch[n]
		f.Data = r.mem[start : start+int(h.Snaplen) : start+int(h.Snaplen)]
		f.At = int64(h.Sec)*1e9 + int64(h.Nsec)
		f.Wire = int(h.Len)
		f.Link, f.Iface, f.TPID, f.TCI = r.link, r.iface.index, 0, 0
		if h.Status&unix.TP_STATUS_VLAN_VALID != 0 {
			f.TCI, f.TPID = uint16(h.Hv1.Vlan_tci), unix.ETH_P_8021Q
			if h.Status&unix.TP_STATUS_VLAN_TPID_VALID != 0 {
				f.TPID = h.Hv1.Vlan_tpid
			}
		}
		r.at += int(h.Next_offset)
		r.left--
		n++
	}
	return n
}

// release gives the block back to the kernel.
func (r *ring) release() {
	atomic.StoreUint32(r.status(), unix.TP_STATUS_KERNEL)
	r.held = false
	r.block = (r.block + 1) % (len(r.mem) / blockSize)
}

// wait waits for the block, at most pause, and reports an interface that went down.
func (r *ring) wait() (down bool, err error) {
	fds := [1]unix.PollFd{{Fd: int32(r.fd), Events: unix.POLLIN | unix.POLLERR}}
	if _, err := unix.Poll(fds[:], int(pause.Milliseconds())); err != nil && err != unix.EINTR {
		return false, fmt.Errorf("poll: %w", err)
	}
	if fds[0].Revents&unix.POLLERR == 0 {
		return false, nil
	}
	code, err := unix.GetsockoptInt(r.fd, unix.SOL_SOCKET, unix.SO_ERROR) // reading clears it
	switch {
	case err != nil:
		return false, fmt.Errorf("packet socket: %w", err)
	case unix.Errno(code) == unix.ENETDOWN:
		return true, nil
	case code != 0:
		return false, fmt.Errorf("packet socket: %w", unix.Errno(code))
	}
	return false, nil
}

// dropped asks the kernel, which forgets what it told.
func (r *ring) dropped() uint64 {
	r.mu.Lock()
	defer r.mu.Unlock()
	if !r.closed {
		if s, err := unix.GetsockoptTpacketStatsV3(r.fd, unix.SOL_PACKET, unix.PACKET_STATISTICS); err == nil {
			r.lost += uint64(s.Drops)
		}
	}
	return r.lost
}

func (r *ring) close() {
	r.dropped()
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.closed {
		return
	}
	r.closed = true
	if r.mem != nil {
		_ = unix.Munmap(r.mem)
		r.mem = nil
	}
	_ = unix.Close(r.fd)
}

// attach attaches a classic BPF program to the socket, or with
// PACKET_FANOUT_DATA to its fanout group.
func attach(fd, level, option int, prog []bpf.RawInstruction) error {
	raw := make([]unix.SockFilter, len(prog))
	for i, p := range prog {
		raw[i] = unix.SockFilter{Code: p.Op, Jt: p.Jt, Jf: p.Jf, K: p.K}
	}
	p := unix.SockFprog{Len: uint16(len(raw)), Filter: &raw[0]}
	err := unix.SetsockoptSockFprog(fd, level, option, &p)
	runtime.KeepAlive(raw)
	return err
}
