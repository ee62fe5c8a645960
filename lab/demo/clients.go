package main

import (
	"bufio"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync/atomic"

	"github.com/quic-go/quic-go"
	utls "github.com/refraction-networking/utls"
)

// do carries one task out and says what was sent.
func (c *campus) do(ctx context.Context, d device, t task) (*sent, error) {
	h := c.hosts[d.name]
	name := t.ask + t.tls + t.quic + t.http
	resolver := net.Resolver{PreferGo: true, Dial: func(context.Context, string, string) (net.Conn, error) {
		return h.Dial("udp", gatewayIP+":53")
	}}
	addrs, err := resolver.LookupNetIP(ctx, "ip4", name)
	if err != nil {
		return nil, err
	}
	addr := addrs[0].Unmap().String()
	var s *sent
	switch {
	case t.ask != "":
		return nil, nil
	case t.http != "":
		s, err = c.plain(d, t, addr)
	case t.tls != "":
		s, err = c.secure(d, t, addr)
	case t.quic != "":
		s, err = c.quick(ctx, d, t, addr)
	}
	if s != nil {
		s.Device, s.Name = d.dhcp.hostname, name
	}
	return s, err
}

// counted counts what passes a connection.
type counted struct {
	net.Conn
	up, down atomic.Int64
}

func (c *counted) Read(b []byte) (int, error) {
	n, err := c.Conn.Read(b)
	c.down.Add(int64(n))
	return n, err
}

func (c *counted) Write(b []byte) (int, error) {
	n, err := c.Conn.Write(b)
	c.up.Add(int64(n))
	return n, err
}

func (c *counted) sent() *sent {
	return &sent{Client: c.LocalAddr().String(), Server: c.RemoteAddr().String(), Proto: "tcp", Up: c.up.Load(), Down: c.down.Load()}
}

func (c *campus) plain(d device, t task, addr string) (*sent, error) {
	raw, err := c.hosts[d.name].Dial("tcp", addr+":80")
	if err != nil {
		return nil, err
	}
	conn := &counted{Conn: raw}
	defer conn.Close()
	method := "GET"
	var b strings.Builder
	if t.form {
		method = "POST"
	}
	fmt.Fprintf(&b, "%s %s HTTP/1.1\r\nUser-Agent: %s\r\nHost: %s\r\nConnection: close\r\n", method, t.path, t.agent, t.http)
	if t.form {
		fmt.Fprintf(&b, "Content-Type: application/x-www-form-urlencoded\r\nContent-Length: %d\r\n", len(t.body))
	}
	b.WriteString("\r\n" + t.body)
	if _, err := io.WriteString(conn, b.String()); err != nil {
		return nil, err
	}
	if _, err := io.Copy(io.Discard, conn); err != nil {
		return nil, err
	}
	return conn.sent(), nil
}

// hellos are the real clients whose ClientHello is sent.
var hellos = map[string]utls.ClientHelloID{
	"okhttp": utls.HelloAndroid_11_OkHttp,
	"ios":    utls.HelloIOS_14,
	"chrome": utls.HelloChrome_133,
	"go":     utls.HelloGolang,
}

func (c *campus) secure(d device, t task, addr string) (*sent, error) {
	raw, err := c.hosts[d.name].Dial("tcp", addr+":443")
	if err != nil {
		return nil, err
	}
	conn := &counted{Conn: raw}
	defer conn.Close()
	client := utls.UClient(conn, &utls.Config{ServerName: t.tls, InsecureSkipVerify: true}, hellos[t.hello])
	if err := client.Handshake(); err != nil {
		return nil, err
	}
	if err := upload(client, t.send); err != nil {
		return nil, err
	}
	_ = client.Close()
	return conn.sent(), nil
}

// upload sends n bytes and waits for the server's word that it has them.
func upload(conn io.ReadWriter, n int) error {
	if _, err := fmt.Fprintf(conn, "%d\n", n); err != nil {
		return err
	}
	if _, err := conn.Write(random(n)); err != nil {
		return err
	}
	_, err := bufio.NewReader(conn).ReadString('\n')
	return err
}

// take reads what upload sends, and confirms.
func take(conn io.ReadWriter) {
	r := bufio.NewReader(conn)
	line, err := r.ReadString('\n')
	if err != nil {
		return
	}
	var n int64
	if _, err := fmt.Sscan(line, &n); err != nil {
		return
	}
	if _, err := io.CopyN(io.Discard, r, n); err == nil {
		_, _ = io.WriteString(conn, "ok\n")
	}
}

// countedPackets counts the UDP payload of a socket.
type countedPackets struct {
	net.PacketConn
	up, down atomic.Int64
}

func (c *countedPackets) ReadFrom(b []byte) (int, net.Addr, error) {
	n, a, err := c.PacketConn.ReadFrom(b)
	c.down.Add(int64(n))
	return n, a, err
}

func (c *countedPackets) WriteTo(b []byte, a net.Addr) (int, error) {
	n, err := c.PacketConn.WriteTo(b, a)
	c.up.Add(int64(n))
	return n, err
}

func (c *campus) quick(ctx context.Context, d device, t task, addr string) (*sent, error) {
	raw, err := c.hosts[d.name].ListenPacket("udp4", d.ip+":0")
	if err != nil {
		return nil, err
	}
	conn := &countedPackets{PacketConn: raw}
	defer raw.Close()
	tr := &quic.Transport{Conn: conn}
	defer tr.Close()
	remote := &net.UDPAddr{IP: net.ParseIP(addr), Port: 443}
	q, err := tr.Dial(ctx, remote, &tls.Config{ServerName: t.quic, InsecureSkipVerify: true, NextProtos: []string{"h3"}}, nil)
	if err != nil {
		return nil, err
	}
	stream, err := q.OpenStreamSync(ctx)
	if err != nil {
		return nil, err
	}
	if err := upload(stream, t.send); err != nil {
		return nil, err
	}
	_ = q.CloseWithError(0, "")
	_ = tr.Close()
	return &sent{Client: raw.LocalAddr().String(), Server: remote.String(), Proto: "udp", Up: conn.up.Load(), Down: conn.down.Load()}, nil
}

// internet serves HTTP, TLS and QUIC on every address.
func (c *campus) internet(ctx context.Context) error {
	cert, err := certificate()
	if err != nil {
		return err
	}
	config := &tls.Config{Certificates: []tls.Certificate{cert}, NextProtos: []string{"h3", "h2", "http/1.1"}}
	plain, err := c.inet.Listen("tcp4", "0.0.0.0:80")
	if err != nil {
		return err
	}
	go http.Serve(plain, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		w.WriteHeader(http.StatusNoContent)
	}))
	secure, err := c.inet.Listen("tcp4", "0.0.0.0:443")
	if err != nil {
		return err
	}
	go accept(tls.NewListener(secure, config))
	for _, s := range servers {
		if err := c.listenQUIC(ctx, s.addr, config); err != nil {
			return err
		}
	}
	return nil
}

func accept(l net.Listener) {
	for {
		conn, err := l.Accept()
		if err != nil {
			return
		}
		go func() {
			defer conn.Close()
			take(conn)
			_, _ = io.Copy(io.Discard, conn)
		}()
	}
}

func (c *campus) listenQUIC(ctx context.Context, addr string, config *tls.Config) error {
	conn, err := c.inet.ListenPacket("udp4", addr+":443")
	if err != nil {
		if strings.Contains(err.Error(), "address already in use") {
			return nil
		}
		return err
	}
	l, err := quic.Listen(conn, config, nil)
	if err != nil {
		return err
	}
	go func() {
		for {
			q, err := l.Accept(ctx)
			if err != nil {
				return
			}
			go func() {
				stream, err := q.AcceptStream(ctx)
				if err == nil {
					take(stream)
				}
				if !errors.Is(err, context.Canceled) {
					<-q.Context().Done()
				}
			}()
		}
	}()
	return nil
}
