package testprog

import (
	"net"
	"net/netip"
	"os"
	"os/exec"
	"regexp"
	"runtime"
	"syscall"
	"testing"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

const inNetwork = "UCSPI_GO_IN_NETWORK"

// OwnNetwork runs the calling test once more, in a process with a network of
// its own that is nothing but a loopback interface, where any port is free
// and any address of 127.0.0.0/8 too. Mounts and the host name are the
// process's own as well. It returns true there, where the test goes on, and
// false in the first process, where the test returns: it has got the other's
// outcome. Where the kernel does not allow it, the test misses a peer.
//
// The caller must be a top-level test; its subtests are part of it.
func OwnNetwork(t *testing.T) bool {
	t.Helper()
	if os.Getenv(inNetwork) != "" {
		if err := settle(); err != nil {
			Missing(t, "network of its own: "+err.Error())
		}
		return true
	}
	cmd := exec.Command("/proc/self/exe", "-test.run=^"+regexp.QuoteMeta(t.Name())+"$", "-test.v", "-test.count=1")
	cmd.Env = append(os.Environ(), inNetwork+"=1")
	cmd.SysProcAttr = &syscall.SysProcAttr{
		Cloneflags: syscall.CLONE_NEWNET | syscall.CLONE_NEWNS | syscall.CLONE_NEWUTS,
	}
	if uid := os.Geteuid(); uid != 0 {
		cmd.SysProcAttr.Cloneflags |= syscall.CLONE_NEWUSER
		cmd.SysProcAttr.UidMappings = []syscall.SysProcIDMap{{ContainerID: 0, HostID: uid, Size: 1}}
		cmd.SysProcAttr.GidMappings = []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getegid(), Size: 1}}
	}
	out, err := cmd.CombinedOutput()
	if cmd.Process == nil {
		Missing(t, "network of its own: "+err.Error())
	}
	t.Logf("in a network of its own:\n%s", out)
	if err != nil {
		t.Fail()
	}
	return false
}

// settle brings the loopback interface up and cuts the mounts off from those
// of the host.
func settle() error {
	if err := syscall.Mount("", "/", "", syscall.MS_REC|syscall.MS_PRIVATE, ""); err != nil {
		return err
	}
	fd, err := syscall.Socket(syscall.AF_INET, syscall.SOCK_DGRAM|syscall.SOCK_CLOEXEC, 0)
	if err != nil {
		return err
	}
	defer syscall.Close(fd)
	lo, err := unix.NewIfreq("lo")
	if err != nil {
		return err
	}
	lo.SetUint16(syscall.IFF_UP | syscall.IFF_RUNNING)
	return unix.IoctlIfreq(fd, unix.SIOCSIFFLAGS, lo)
}

// AddAddress gives an interface of the test's own network an IPv6 address, and
// waits until the kernel lets it be used.
func AddAddress(t testing.TB, name string, address netip.Prefix) {
	t.Helper()
	fd, err := syscall.Socket(syscall.AF_INET6, syscall.SOCK_DGRAM|syscall.SOCK_CLOEXEC, 0)
	if err != nil {
		Missing(t, "IPv6: "+err.Error())
	}
	defer syscall.Close(fd)
	link, err := net.InterfaceByName(name)
	if err != nil {
		t.Fatal(err)
	}
	request := struct { // struct in6_ifreq
		address [16]byte
		bits    uint32
		index   int32
	}{address.Addr().As16(), uint32(address.Bits()), int32(link.Index)}
	if _, _, errno := syscall.Syscall(syscall.SYS_IOCTL, uintptr(fd), syscall.SIOCSIFADDR, uintptr(unsafe.Pointer(&request))); errno != 0 {
		t.Fatal(errno)
	}
	err = syscall.EADDRNOTAVAIL
	for end := time.Now().Add(serverPatience); err == syscall.EADDRNOTAVAIL && time.Now().Before(end); runtime.Gosched() {
		err = syscall.Bind(fd, &syscall.SockaddrInet6{Addr: request.address, ZoneId: uint32(link.Index)})
	}
	if err != nil {
		t.Fatal(err)
	}
}
