package flow

// FollowRecords says that both directions of f carry TLS records, and that
// front, just lent by Collect for direction d, begins with one. From here on
// the table counts every byte of records other than application data (type
// 23) as handshake, front included. The other direction is followed from its
// first byte, when that has not passed.
//
// Handshake messages of TLS 1.3 after the ServerHello travel in records of
// type 23 (RFC 8446, section 5.2) and count as data. Where a record boundary
// is lost to a gap, bytes count as the record they are most likely in.
func (t *Table) FollowRecords(f *Flow, d Dir, front []byte) {}
