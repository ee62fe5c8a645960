package alerts

import (
	"testing"
	"time"

	"picket/sensor"
	"picket/sensor/handset"
)

func TestEvictedDeviceEndsByQuiet(t *testing.T) {
	w := newWorld(t, worldConfig{})
	v := phone(dev, "xiaomi", handset.Certain)
	w.send(v, inCN, start, 2000)
	w.judge.Verdict(sensor.VerdictChange{At: start.Add(time.Minute), Device: v, Gone: true, Why: "evicted"})
	w.pass(start.Add(time.Minute), time.Hour)
	w.send(v, inCN, start.Add(time.Hour), 5) // back, with the same id
	w.pass(start.Add(time.Hour), 3*time.Hour)
	w.wantTold("opened page xiaomi-to-cn d-0123456789ab 2000", "resolved page xiaomi-to-cn d-0123456789ab 2005: quiet")
}

func TestOneEpisodeAboutTheMakersOwnServers(t *testing.T) {
	p := xiaomiToCN()
	p.Devices.Makers = OneOrMore[string]{"huawei", "honor"}
	p.Restricted.Owners = OneOrMore[string]{sameAsMaker}
	w := newWorld(t, worldConfig{policies: []Policy{p}})
	unknown, v := phone(dev, "", handset.None), phone(dev, "huawei", handset.Certain)
	for i, maker := range []string{"huawei-or-honor", "huawei", "honor"} {
		tr := transfer(unknown, inCN, start.Add(time.Duration(i)*time.Minute), 2000)
		tr.NameMaker = maker
		w.judge.Transfer(tr)
	}
	w.verdict(v, start.Add(5*time.Minute))
	tr := transfer(v, inCN, start.Add(6*time.Minute), 1)
	tr.NameMaker = "huawei-or-honor"
	w.judge.Transfer(tr)
	list := w.episodes()
	if len(list) != 1 || list[0].Sent != 4001 || len(w.told.lines) != 1 {
		t.Errorf("%d episodes, told %q; want one of 4001 bytes", len(list), w.told.lines)
	}
}

func TestSeveralPoliciesJudgeByThemselves(t *testing.T) {
	ticket := xiaomiToCN()
	ticket.Name, ticket.Severity = "anything-to-no", Ticket
	ticket.Devices.Makers, ticket.Restricted.Countries = OneOrMore[string]{"any"}, countries(t, "NO")
	w := newWorld(t, worldConfig{policies: []Policy{xiaomiToCN(), ticket}})
	v := phone(dev, "xiaomi", handset.Certain)
	w.send(v, inCN, start, 2000)
	w.send(v, inNO, start, 3000)
	w.wantTold("opened page xiaomi-to-cn d-0123456789ab 2000", "opened ticket anything-to-no d-0123456789ab 3000")
}

func TestHashIsOfWhatDecides(t *testing.T) {
	p, err := parsePolicy(t, fullPolicy)
	if err != nil {
		t.Fatal(err)
	}
	first := compile(t, p)[0].Hash
	for range 50 {
		if h := compile(t, p)[0].Hash; h != first {
			t.Fatalf("hash %s, then %s of the same policy", first, h)
		}
	}
	p.Examples = nil
	if h := compile(t, p)[0].Hash; h != first {
		t.Error("examples change the hash")
	}
	p.Restricted.Countries = countries(t, "CN")
	if h := compile(t, p)[0].Hash; h == first {
		t.Error("another country does not change the hash")
	}
}

// A second country in mid-episode is the same alert with new text.
func TestSecondCountryIsTheSameAlert(t *testing.T) {
	p := xiaomiToCN()
	p.Restricted.Countries = countries(t, "CN", "SG")
	w := newWorld(t, worldConfig{policies: []Policy{p}})
	v := phone(dev, "xiaomi", handset.Certain)
	w.send(v, inCN, start, 2000)
	w.send(v, inSG, start.Add(time.Minute), 9000)
	w.pass(start.Add(time.Minute), 2*time.Minute)
	w.wantTold("opened page xiaomi-to-cn d-0123456789ab 2000")
	first, last := newAlert(w.told.all[0].Episode, start, Links{}), newAlert(w.told.all[len(w.told.all)-1].Episode, start, Links{})
	if first.Key != last.Key || first.Annotations["country"] != "CN" || last.Annotations["country"] != "SG CN" {
		t.Errorf("%s %q, then %s %q", first.Key, first.Annotations["country"], last.Key, last.Annotations["country"])
	}
}
