#!/bin/sh
# The load that demo.skeprec.gz was made of: root, cgroup v2 at $1, 20 seconds. Each service has a cgroup of its own.
#   sh demo/load.sh /sys/fs/cgroup & skep record --cgroup demo.slice --duration 20 -o demo/demo.skeprec
set -eu
slice=$1/demo.slice
scratch=$(mktemp -d)
service() {
  name=$1; shift
  mkdir -p "$slice/$name"
  sh -c 'echo $$ > "$0/cgroup.procs" && exec "$@"' "$slice/$name" "$@" &
}
mkdir -p "$slice"
for name in shop.service batch.service report.service cron.service backup.service; do mkdir -p "$slice/$name"; done
sleep 3
# Connections on loopback, in a network of its own: a server, and a client that is refused now and then.
service shop.service unshare -n sh -c 'ip link set lo up; exec perl -MIO::Socket::INET -e "
  my \$s = IO::Socket::INET->new(LocalAddr => q(127.0.0.1), LocalPort => 8080, Listen => 64, ReuseAddr => 1) or die;
  alarm 20; if (fork) { \$0 = q(shop); alarm 20; for my \$n (1..260) { my \$c = \$s->accept or last; sysread(\$c, my \$b, 4096); select(undef, undef, undef, rand 0.01); syswrite(\$c, q(x) x (200 + int rand 9000)); close \$c } exit }
  alarm 20; \$0 = q(client); close \$s; for my \$n (1..280) { my \$port = \$n % 14 ? 8080 : 8081; my \$c = IO::Socket::INET->new(PeerAddr => q(127.0.0.1), PeerPort => \$port);
    if (\$c) { syswrite(\$c, q(GET)); 1 while sysread(\$c, my \$b, 65536); close \$c } select(undef, undef, undef, 0.06) }"'
# Two that want the same CPU: one nearly always, one in bursts from the sixth second on.
service batch.service perl -e 'my $one = pack("Q", 1); syscall(203, 0, 8, $one); my $end = time + 20; while (time < $end) { for (1..200000) {} select(undef, undef, undef, 0.006) }'
service report.service perl -e 'my $one = pack("Q", 1); syscall(203, 0, 8, $one); sleep 6; my $end = time + 7; while (time < $end) { for (1..700000) {} select(undef, undef, undef, 0.003) }'
# Short processes, some of which fail.
service cron.service sh -c 'for n in $(seq 24); do /bin/true; ls /nowhere 2>/dev/null || :; sleep 0.7; done'
# Writes past the page cache.
service backup.service sh -c 'cd "$0"; for n in $(seq 18); do dd if=/dev/zero of=f bs=128k count=12 oflag=direct 2>/dev/null; dd if=f of=/dev/null bs=128k iflag=direct 2>/dev/null; sleep 0.9; done' "$scratch"
wait
rm -r "$scratch"
rmdir "$slice"/*.service "$slice"
