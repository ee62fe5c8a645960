/* The floor: what libpcap alone needs to hand every frame to a loop that does nothing. */
#include <pcap/pcap.h>
#include <stdio.h>

static unsigned long long frames, bytes;

static void
on_frame(u_char *user, const struct pcap_pkthdr *h, const u_char *data)
{
	(void)user;
	(void)data;
	frames++;
	bytes += h->len;
}

int
main(int argc, char **argv)
{
	char errbuf[PCAP_ERRBUF_SIZE];
	pcap_t *p;

	if (argc != 2) {
		fprintf(stderr, "usage: floor FILE\n");
		return 2;
	}
	p = pcap_open_offline(argv[1], errbuf);
	if (p == NULL) {
		fprintf(stderr, "%s\n", errbuf);
		return 1;
	}
	if (pcap_loop(p, -1, on_frame, NULL) < 0) {
		fprintf(stderr, "%s\n", pcap_geterr(p));
		return 1;
	}
	pcap_close(p);
	printf("%llu frames, %llu bytes\n", frames, bytes);
	return 0;
}
