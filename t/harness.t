#!/usr/bin/perl

# (C) ngx_http_webhook_module contributors

# Tests for the harness: what the other tests rely on to fail does fail.  The
# upstream sees everything that reaches it, signatures are those of the
# providers, and the checks at the end of a file notice what they look for.

###############################################################################

use warnings;
use strict;

use Test::More;

BEGIN { use FindBin; chdir($FindBin::Bin); }

use lib 'lib';
use Test::Nginx;
use Test::Nginx::Webhook;

###############################################################################

select STDERR; $| = 1;
select STDOUT; $| = 1;

my @schemes = qw/ bamotf bitnob bitnob-timestamped yoco nextpay
	standard-webhooks stripe github slack shopify /;

my $t = Test::Nginx->new()->has(qw/http proxy rewrite/)->has_faketime()
	->plan(26 + @schemes);

my $conf = <<'EOF';

%%TEST_GLOBALS%%

worker_processes  2;

events {
}

http {
    %%TEST_GLOBALS_HTTP%%

    server {
        listen       127.0.0.1:8080;
        server_name  localhost;

        location / {
            proxy_pass  http://127.0.0.1:8081;
        }

        location /time {
            return  200  "$msec\n";
        }
    }
}

EOF

$t->write_file_expand('nginx.conf', $conf);

my $u = upstream(8081);

$t->clock(1764000000)->run();

###############################################################################

# signatures

foreach my $scheme (@schemes) {
	my ($v) = load_vectors($scheme);
	my %h = map { @$_ } @{$v->{headers}};

	# the timestamp is in a header of its own, or in that of the signature

	my ($ts) = map { $h{$_} } grep { /timestamp/ } keys %h;
	($ts) = map { /^[tv]=(\d{10})/ ? $1 : () } values %h
		unless defined $ts;

	my @pairs = sign($scheme, $v->{secret}, $v->{body}, ts => $ts,
		id => $h{'webhook-id'});

	is(join("\n", map { @$_ } @pairs),
		join("\n", map { ($_->[0], $h{$_->[0]}) } @pairs),
		"signed as $scheme does");
}

# what the upstream records

my $body = join '', map { chr($_ % 256) } 0 .. 70000;

is(request(uri => '/a?b', method => 'PUT', body => $body, pieces => [1, 5],
	headers => [['X-A', ['1', '2']]])->{status}, 200, 'proxied');

my $r = $u->last();

is("$r->{method} $r->{uri} $r->{state} $r->{outcome}",
	'PUT /a?b complete answered', 'request line');
is(join(',', Test::Nginx::Upstream::header($r, 'x-a')), '1,2', 'header lines');
ok($r->{body} eq $body, 'body');

request(body => $body, chunked => [1, 4096], pieces => 'bytes')
	for $body = 'chunked body';
ok($u->last()->{body} eq $body, 'chunked body');

is($u->count(), 2, 'count');

$u->reset();

my $c = client(port => 8081);
is($u->connections(), 1, 'connection without a request');

$c->send("POST / HTTP/1.1\r\nContent-Length: 10\r\n\r\n12345");
is($u->count() . $u->last()->{state} . $u->last()->{body}, '1body12345',
	'half a body');

$c->abort();
is($u->last()->{lost}, 1, 'lost');

# how it answers

$u->reset()->script(500, 'close', 'reset', { status => 202,
	headers => [['X-Accel-Redirect', '/time']] });

is(join(' ', map { request()->{status} } 1 .. 5), '500 502 502 200 200',
	'script');
is(join(' ', map { $_->{outcome} } $u->requests()),
	'answered closed reset answered answered', 'outcomes');

$u->reset()->on(qr/hang/, 'hang');

my @c;

foreach (1 .. 2) {
	push @c, request(uri => '/hang', send_only => 1);
	ok($u->wait_for($_), "hanging request $_ has arrived");
}

is(request(uri => '/other')->{status}, 200, 'others are answered');
is($u->release(1, 404), 1, 'release');
$c[1]->abort();
ok($u->wait_gone(1), 'the other has gone');
is($c[0]->response()->{status}, 404, 'released');

# the clock

like(http_get('/time'), qr/^1764000000\.000$/m, 'frozen clock');
is(join('', map { $t->clock($_); http_get('/time') =~ /^(\d+)\.000$/m }
	1763999999, 1764000000, 1764000301), '176399999917640000001764000301',
	'moved clock');

# the checks at the end

$t->write_file('inner.conf', $conf);

my $crash = <<'EOF';
my ($pid) = $t->workers();
kill 'KILL', $pid;
$t->wait_log(qr/exited on signal 9/);
EOF

like(inner(''), qr/^ok 2 .*^ok 3 .*^ok 4 /ms, 'nothing wrong');
like(inner($crash), qr/^ok 2 .*^not ok 3 .*^ok 4 /ms, 'alert noticed');
like(inner("$crash; \$t->allow(qr/exited on signal 9/)"), qr/^ok 3 /m,
	'alert allowed');
like(inner('$t->stop()'), qr/^not ok 2 .*^ok 3 .*^ok 4 /ms,
	'stopped server noticed');
like(inner('$t->write_file_expand("nginx.conf", "unknown;")'),
	qr/^not ok 2 .*^not ok 3 .*^ok 4 /ms, 'refused configuration noticed');
like(inner('$t->write_file("asan.1", "ERROR")'), qr/^ok 3 .*^not ok 4 /ms,
	'sanitizer report noticed');
like(inner('my $c = $t->read_file("nginx.conf");'
	. '$c =~ s/proxy_pass [^;]*/return 444/; $t->write_file("nginx.conf", $c)'),
	qr/^not ok 2 .*^ok 3 .*^ok 4 /ms, 'server that does not answer noticed');

###############################################################################

sub inner {
	my ($code) = @_;

	my $conf = $t->testdir() . '/inner.conf';

	$t->write_file('inner.t', <<"EOF");
use Test::More;
use Test::Nginx;

my \$t = Test::Nginx->new()->plan(1);
open my \$fh, '<', '$conf' or die;
\$t->write_file_expand('nginx.conf', join '', <\$fh>);
\$t->run();

ok(1, 'inner');
$code;
EOF

	return qx!$^X -Ilib ${\ $t->testdir()}/inner.t 2>&1!;
}

###############################################################################
