package handset

// Groups returns the makers that stand for several (oppo-group,
// huawei-or-honor) with their members.
func (s *Set) Groups() map[string][]string {
	out := map[string][]string{}
	for _, m := range s.makers {
		if m.group >= 0 && m.kind == realMaker {
			g := s.makers[m.group].name
			out[g] = append(out[g], m.name)
		}
	}
	return out
}
