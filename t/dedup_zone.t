#!/usr/bin/perl

# (C) ngx_http_webhook_module contributors

# Tests for the zone as a whole: by what it knows events, what it takes of the
# memory, and reloads that change its size, to one that is too small and under
# load.

###############################################################################

use warnings;
use strict;

use Test::More;

BEGIN { use FindBin; chdir($FindBin::Bin); }

use lib 'lib';
use Test::Nginx;
use Test::Nginx::Webhook;

use Digest::SHA qw/ sha256 /;
use Time::HiRes qw/ time /;

###############################################################################

select STDERR; $| = 1;
select STDOUT; $| = 1;

my $secret = 'secret-of-nextpay-0123456789';

my $t = Test::Nginx->new()->has(qw/http proxy rewrite/)->plan(25);

my $d = $t->testdir();

mkdir "$d/state";
chmod 0777, "$d/state";

my $u = upstream(8081);

###############################################################################

# What names an event is the same on every server: a hash of the scheme, of
# where it came to, and of the key, each with its length.

conf('1m', 'state');
$t->run();

is(join(', ', map { sent('id', uri => $_) } '/hook', '/key'),
	'200 proxied, 200 proxied', 'id - delivered');
is(sent('forged', uri => '/hook', forged => 1), '401', 'id - forged');

$t->stop();

ok(named(qw!nextpay location localhost /hook id!), 'id - location');
ok(named('nextpay', 'key', 'tenant', '', 'id'), 'id - key');

ok(!named(qw!nextpay location localhost /hook ie!), 'id - other');
ok(!named(qw!nextpay location localhos t/hook id!), 'id - other cut');
ok(!named(qw!nextpay location localhost /hook forged!),
	'id - not of what was forged');

unlink "$d/state/events.state";
$t->run();

is(sent('id', uri => '/hook'), '200 proxied', 'id - another server');

$t->stop();

ok(named(qw!nextpay location localhost /hook id!), 'id - the same there');

###############################################################################

# A zone takes memory when it needs it.

SKIP: {
skip 'a debugging build fills memory', 3 if $Test::Nginx::SANITIZE;

my %time = map { $_ => time_of_test($_) } '1m', '512m';

cmp_ok($time{'512m'}, '<', 0.2 + 5 * $time{'1m'}, 'memory - nginx -t');

conf('512m');
$t->run();

is(sent('large') . ', ' . sent('large'), '200 proxied, 200 duplicate',
	'memory - large zone');
cmp_ok(resident($t->master()), '<', 64 * 1024, 'memory - start');

$t->stop();
}

###############################################################################

# A smaller zone holds what it can, and says how much it can not.

conf('128k');
$t->run();

my @ids = map { "e$_" } 1 .. 1500;
my $client = client(port => 8080);

is(scalar(grep { sent($_, client => $client) ne '200 proxied' } @ids), 0,
	'smaller - delivered');

my $from = $t->log_pos();

conf('256k');
ok($t->reload(), 'larger');
is(known(@ids), 1500, 'larger - all are known');
is(scalar($t->lines(qr/forgotten/, from => $from)), 0, 'larger - no warning');

conf('32k');
ok($t->reload(), 'smaller');

my $known = known(@ids);
my $forgotten = 1500 - $known;

cmp_ok($known, '>', 900, 'smaller - many are known');

my @lines = $t->lines(qr/forgotten/, from => $from);

is(scalar @lines, 1, 'smaller - one error');
like($lines[0], qr/\[error\] .*"events" .*: $forgotten were forgotten/,
	'smaller - how many');

# it is full: what takes a place in it, if only for a moment, ends an event

$client = client(port => 8080);

is(scalar(grep { sent("forged-$_", client => $client, forged => 1) ne '401' }
	1 .. 500), 0, 'full - forged');
is(known(@ids), $known, 'full - none is forgotten for what is forged');

$t->stop();

###############################################################################

# While a table is copied workers go on, and what they learn is copied too,
# until the old ones are told to go.

conf('128m');
$t->run();

$client = client(port => 8080);

my ($n, $longest, @all) = (0, 0);

event() foreach 1 .. 20;

conf('130m');

$from = $t->log_pos();
$longest = 0;

my $start = time();

kill 'HUP', $t->master();

event() until $n % 10 == 0
	and $t->lines(qr/start worker process/, from => $from)
	or time() > $start + 60;

my $took = time() - $start;

note(scalar(@all) . " of $n in $took, longest $longest");

cmp_ok($longest, '<', $took / 4, 'under load - nobody waits for the copy');

# the last ones may have been accepted behind the copy

ok($t->reload(), 'under load - reloaded');
cmp_ok(known(@all), '>=', @all - 40, 'under load - known');

###############################################################################

sub conf {
	my ($size, $state) = @_;

	$state = $state ? "state=$d/state/events.state" : '';

	my $conf = <<"EOF";

%%TEST_GLOBALS%%

events {
}

http {
    %%TEST_GLOBALS_HTTP%%

    webhook_dedup_zone  zone=events:$size $state;

    keepalive_requests  1000000;

    server {
        listen       127.0.0.1:8080;
        server_name  localhost;

        webhook_verify  nextpay;
        webhook_secret  $secret;

        location / {
            webhook_verify  off;
            return          204;
        }

        location /hook {
            webhook_dedup  zone=events;
            proxy_pass     http://127.0.0.1:8081;
        }

        location /key {
            webhook_dedup  zone=events key=tenant;
            proxy_pass     http://127.0.0.1:8081;
        }

        location /dry {
            webhook_dry_run  on;
            webhook_dedup    zone=events key=tenant;
            add_header       X-Status \$webhook_status;
            proxy_pass       http://127.0.0.1:8080/;
        }
    }
}

EOF

	$t->write_file_expand('nginx.conf', $conf);

	return $conf;
}

# what became of a delivery; one that is forged has one byte too many

sub sent {
	my ($id, %opts) = @_;

	my $body = "{\"id\":\"$id\"}";

	return came_of($u, sub {
		request(uri => '/key', %opts,
			body => $opts{forged} ? "$body " : $body,
			headers => [ sign('nextpay', $secret, $body) ])
	});
}

# one more, over a connection that an old worker may have closed

sub event {
	my $now = time();
	my $id = 'load-' . $n++;

	$client = client(port => 8080) unless $client->socket();

	my $v = sent($id, client => $client);

	push @all, $id if $v eq '200 proxied';

	$longest = time() - $now if time() - $now > $longest;
}

# how many of the events the zone knows: it is asked, and not told of them

sub known {
	my @ids = @_;

	my $c = client(port => 8080);

	return scalar grep {
		my $r = request(uri => '/dry', body => "{\"id\":\"$_\"}",
			client => $c, headers =>
			[ sign('nextpay', $secret, "{\"id\":\"$_\"}") ]);

		$r->header('X-Status') eq 'DUPLICATE_DRY_RUN';
	} @ids;
}

# whether the state file has an event that is named by these strings

sub named {
	my $id = sha256(join '', map { pack('Q<', length) . $_ } @_);

	return index($t->read_file('state/events.state'), substr($id, 0, 16))
		>= 0;
}

# CPU time of nginx -t

sub time_of_test {
	my ($size) = @_;

	my @before = times();
	my ($code, $out) = $t->conf_test(conf($size));
	my @after = times();

	die "nginx -t: $out\n" if $code;

	return $after[2] + $after[3] - $before[2] - $before[3];
}

sub resident {
	my ($pid) = @_;

	open my $fh, '<', "/proc/$pid/status" or return 0;

	my ($kb) = map { /^VmRSS:\s+(\d+)/ } <$fh>;

	return $kb;
}

###############################################################################
