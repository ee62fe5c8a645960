package main

import (
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"unsafe"

	"github.com/landlock-lsm/go-landlock/landlock"
	ll "github.com/landlock-lsm/go-landlock/landlock/syscall"
	"golang.org/x/sys/unix"
	"kernel.org/pub/linux/libs/security/libcap/psx"

	"picket/configs"
	"picket/fleet"
)

// confinement is what a sensor may still do once its sockets are open.
type confinement struct {
	write   []string // directories to read and write: state, the socket of leases
	move    []string // directories below which files may also move from one to another
	read    []string // files and directories to read
	capture bool     // keep CAP_NET_RAW: libpcap opens its handle anew when the interface comes back
}

// confine gives up for good what a running sensor no longer needs:
// capabilities, the right to gain any, and all files but its own. It holds
// for every thread of the process, those to come included. What the kernel
// or the service manager refuses is logged, and the rest is done all the same.
func confine(c confinement, log *slog.Logger) {
	if _, _, errno := psx.Syscall6(unix.SYS_PRCTL, unix.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0, 0); errno != 0 {
		log.Warn("not confined: no_new_privs", "err", errno)
	}
	if err := restrictFiles(c, log); err != nil {
		log.Warn("not confined: Landlock", "err", err)
	}
	if err := dropCapabilities(c.capture); err != nil {
		log.Warn("not confined: capabilities", "err", err)
	}
}

// dropCapabilities leaves CAP_NET_RAW, when it is to be kept and was held,
// and no other.
func dropCapabilities(keepRaw bool) error {
	header := unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}
	var held, left [2]unix.CapUserData
	if err := unix.Capget(&header, &held[0]); err != nil {
		return fmt.Errorf("capget: %w", err)
	}
	if keepRaw {
		raw := held[0].Permitted & (1 << unix.CAP_NET_RAW)
		left[0] = unix.CapUserData{Effective: raw, Permitted: raw}
	}
	if held[0].Permitted == left[0].Permitted && held[1].Permitted == 0 {
		return nil
	}
	_, _, errno := psx.Syscall3(unix.SYS_CAPSET, uintptr(unsafe.Pointer(&header)), uintptr(unsafe.Pointer(&left[0])), 0)
	if errno != 0 {
		return fmt.Errorf("capset: %w", errno)
	}
	return nil
}

// public are directories without secrets that the Go runtime, the resolver,
// TLS and the counters of interfaces read from.
var public = []string{
	"/proc", "/sys/class/net", "/sys/devices",
	"/usr", "/lib", "/lib64", // time zones, certificates
	"/etc/ssl/certs", "/etc/pki/tls/certs",
	"/run/systemd/resolve", "/run/resolvconf", "/run/NetworkManager", // where /etc/resolv.conf may lead
}

// publicFiles are the files of /etc among them. As /etc has secrets beside
// them, one that is replaced later is out of reach until a restart.
var publicFiles = []string{"/etc/resolv.conf", "/etc/hosts", "/etc/nsswitch.conf", "/etc/services", "/etc/localtime", "/etc/gai.conf", "/etc/host.conf"}

// restrictFiles lets the process read what c names and what is public, and
// write below c.write.
func restrictFiles(c confinement, log *slog.Logger) error {
	var dirs, files []string
	for _, path := range c.read {
		switch dir, info, err := readable(path); {
		case err != nil:
			log.Debug("not there, hence out of reach later", "path", path, "err", err)
		case info.IsDir():
			dirs = append(dirs, dir)
		default:
			files = append(files, dir)
			log.Info("a replacement of this file is seen after a restart only: it lies beside files of others", "path", path)
		}
	}
	rules := []landlock.Rule{
		landlock.RODirs(public...).IgnoreIfMissing(),
		landlock.ROFiles(publicFiles...).IgnoreIfMissing(),
		landlock.RODirs(dirs...),
		landlock.ROFiles(files...),
		landlock.RWFiles("/dev/null"),
		landlock.RWDirs(c.write...),
	}
	if len(c.move) > 0 {
		rules = append(rules, landlock.RWDirs(c.move...).WithRefer())
	}
	abi, err := ll.LandlockGetABIVersion()
	switch {
	case err != nil || abi < 1:
		return errNoLandlock
	case abi < landlockRefer && len(c.move) > 0:
		return errNoRefer // any Landlock at all would forbid it
	case abi < landlockTruncate:
		log.Warn("confined in part: this kernel's Landlock cannot forbid to truncate files", "abi", abi)
	}
	return landlock.V5.BestEffort().RestrictPaths(rules...)
}

// landlockTruncate is the first ABI that knows LANDLOCK_ACCESS_FS_TRUNCATE
// (Linux 6.2).
const landlockTruncate = 3

// landlockRefer is the first that knows LANDLOCK_ACCESS_FS_REFER (Linux 5.19).
const landlockRefer = 2

var errNoRefer = errors.New("this kernel's Landlock cannot let the embedded server of the fleet move its files (Linux 5.19 and later)")

var errNoLandlock = errors.New("this kernel has none (CONFIG_SECURITY_LANDLOCK, Linux 5.13 and later)")

// readable returns what has to be opened up so that path can be read: the
// directory of a file, since files are replaced by rename; the file alone
// where that directory is everybody's.
func readable(path string) (string, fs.FileInfo, error) {
	path, err := filepath.Abs(path)
	if err != nil {
		return "", nil, err
	}
	info, err := os.Stat(path)
	if err != nil || info.IsDir() {
		return path, info, err
	}
	if dir := filepath.Dir(path); !everybodys(dir) {
		info, err = os.Stat(dir)
		return dir, info, err
	}
	return path, info, nil
}

// everybodys: directories that also hold what is none of picket's business.
func everybodys(dir string) bool {
	parts := strings.Split(strings.Trim(dir, "/"), "/")
	return len(parts) == 1 || len(parts) == 2 && (parts[0] == "home" || parts[0] == "var" || parts[0] == "usr")
}

// confinementOf is what a sensor with configuration c and its state in
// directory state may keep.
func confinementOf(c *configs.Config, state string, libpcap bool) confinement {
	out := confinement{read: filesOf(c), capture: libpcap}
	if state != "" {
		out.write = append(out.write, state)
	}
	if c.Fleet.Mode == fleet.Embedded && state != "" {
		out.move = append(out.move, filepath.Join(state, fleet.Directory))
	}
	for _, to := range c.Events.To {
		if to.Kind == "file" { // its directory: a file that is rotated is made anew
			out.write = append(out.write, filepath.Dir(to.Address))
		}
	}
	if c.Leases.Socket != "" {
		out.write = append(out.write, filepath.Dir(c.Leases.Socket))
	}
	return out
}

// alertmanagerFiles names the certificates and secrets that pushing takes.
func alertmanagerFiles(c *configs.Config) []string {
	http := &c.Alertmanager.HTTP
	out := []string{http.TLSConfig.CAFile, http.TLSConfig.CertFile, http.TLSConfig.KeyFile, http.BearerTokenFile}
	if http.BasicAuth != nil {
		out = append(out, http.BasicAuth.UsernameFile, http.BasicAuth.PasswordFile)
	}
	if http.Authorization != nil {
		out = append(out, http.Authorization.CredentialsFile)
	}
	return slices.DeleteFunc(out, func(f string) bool { return f == "" })
}

// filesOf names everything that c makes the sensor read while it runs.
func filesOf(c *configs.Config) []string {
	var out []string
	add := func(paths ...string) {
		for _, p := range paths {
			if p != "" {
				out = append(out, p)
			}
		}
	}
	add(c.File(), c.Signatures.Directory, c.Geo.Base, c.Web.ConfigFile, c.Web.Map)
	add(c.Geo.Databases...)
	add(c.Leases.Dnsmasq...)
	add(c.Leases.Kea...)
	add(alertmanagerFiles(c)...)
	if c.Fleet.Enabled() {
		add(c.Fleet.Files()...)
	}
	web, err := webFiles(c.Web.ConfigFile)
	if err == nil {
		add(web...)
	}
	return out
}

// confinedHint explains a file that cannot be read after a reload.
func confinedHint(err error) error {
	if errors.Is(err, fs.ErrPermission) {
		return fmt.Errorf("%w (the running sensor reads only directories that its configuration named at its start: restart it)", err)
	}
	return err
}
