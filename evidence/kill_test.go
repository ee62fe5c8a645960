package evidence

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

const killedEnv = "PICKET_TEST_STORE"

// kills is how often the writer is killed.
const kills = 100

// TestKilled kills a process that writes, again and again, at once after it
// said that an episode was announced: every episode it spoke of is there
// afterwards, the chain verifies, and of the ledger at most what was not yet
// due is missing.
func TestKilled(t *testing.T) {
	if dir := os.Getenv(killedEnv); dir != "" {
		writeUntilKilled(dir)
		return
	}
	if testing.Short() {
		t.Skip("kills processes for some seconds")
	}
	dir := t.TempDir()
	spoken := map[string]bool{}
	for round := range kills {
		for _, id := range killOnce(t, dir, round) {
			spoken[id] = true
		}
	}
	s := open(t, dir)
	list, err := s.Episodes(time.Time{})
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range list {
		delete(spoken, e.ID)
	}
	if len(spoken) > 0 {
		t.Errorf("%d announced episodes were lost of %d", len(spoken), len(list)+len(spoken))
	}
	if r := verify(t, s); len(r.Faults) > 0 || r.Entries < kills {
		t.Errorf("chain of %d entries: %v", r.Entries, r.Faults)
	}
	t.Logf("%d kills, %d episodes", kills, len(list))
}

// killOnce starts a writer, lets it speak some times and kills it.
func killOnce(t *testing.T, dir string, round int) (spoken []string) {
	t.Helper()
	cmd := exec.Command(os.Args[0], "-test.run=^TestKilled$")
	cmd.Env = append(os.Environ(), killedEnv+"="+dir, fmt.Sprintf("PICKET_TEST_ROUND=%d", round))
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(out)
	for len(spoken) <= round%7 && lines.Scan() {
		if id, ok := strings.CutPrefix(lines.Text(), "announced "); ok {
			spoken = append(spoken, id)
		}
	}
	_ = cmd.Process.Kill()
	for lines.Scan() { // what it said before it died counts too
		if id, ok := strings.CutPrefix(lines.Text(), "announced "); ok {
			spoken = append(spoken, id)
		}
	}
	_ = cmd.Wait()
	if len(spoken) == 0 {
		t.Fatalf("round %d: the writer said nothing", round)
	}
	return spoken
}

func writeUntilKilled(dir string) {
	s, err := Open(Config{Dir: dir, Patience: time.Minute, Every: 5 * time.Millisecond})
	if err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
	go func() { _ = s.Run(context.Background()) }()
	for i := 0; ; i++ {
		id := fmt.Sprintf("e-%04s%012d", os.Getenv("PICKET_TEST_ROUND"), i)
		s.Count(Residence{Maker: "xiaomi", Location: "CN"}, Flow{At: noon, Device: uint32(i), Sent: 1, Flows: 1})
		s.SaveDevice(Device{ID: "d-00000000aaaa", Concern: Prohibited, Last: noon})
		if err := s.SaveEpisode(episode(id, "d-00000000aaaa")); err != nil {
			fmt.Println(err)
			os.Exit(1)
		}
		fmt.Println("announced", id)
	}
}

// grep names the first file under dir that holds text.
func grep(t *testing.T, dir, text string) string {
	t.Helper()
	found := ""
	err := filepath.WalkDir(dir, func(path string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		b, err := os.ReadFile(path)
		if strings.Contains(string(b), text) {
			found = path
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return found
}
