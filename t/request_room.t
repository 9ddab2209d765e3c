#!/usr/bin/perl

# (C) ngx_http_webhook_module contributors

# Tests for a server that has run out of room or of file descriptors: events are
# neither let through unverified nor lost, but refused for its own fault, and
# delivered when they are sent again.

###############################################################################

use warnings;
use strict;

use Test::More;

BEGIN { use FindBin; chdir($FindBin::Bin); }

use lib 'lib';
use Test::Nginx;
use Test::Nginx::Webhook;

use POSIX qw/ EACCES EDQUOT EIO EMFILE ENFILE ENOSPC /;

###############################################################################

select STDERR; $| = 1;
select STDOUT; $| = 1;

my $secret = 'secret-of-nextpay-0123456789';

my $t = Test::Nginx->new()->has(qw/http proxy/)->has_faults()
	->allow(qr/\[crit\] .*(?:open|pwrite|pwritev|pread)\(\) ".*temp/,
		qr/\[(?:alert|crit)\] .*\((?:24|23): Too many open files/);

my $d = $t->testdir();

mkdir "$d/state";

$t->write_file_expand('nginx.conf', <<"EOF");

%%TEST_GLOBALS%%

worker_processes      1;
worker_rlimit_nofile  64;

events {
    worker_connections  512;
}

http {
    %%TEST_GLOBALS_HTTP%%

    access_log  off;

    webhook_dedup_zone  zone=events:1m state=%%TESTDIR%%/state/events.state;

    webhook_in_flight_wait  0;

    client_body_buffer_size  1k;
    client_header_timeout    5m;
    keepalive_timeout        5m;

    add_header  X-Verdict  "\$webhook_status \$webhook_reason"  always;

    server {
        listen       127.0.0.1:8080;
        server_name  localhost;

        webhook_verify  nextpay;
        webhook_secret  $secret;
        webhook_dedup   zone=events key=hook;

        location / {
            webhook_verify  off;
            proxy_pass      http://127.0.0.1:8081;
        }

        location /hook {
            proxy_pass      http://127.0.0.1:8081;
        }

        location /file {
            client_body_in_file_only  clean;
            proxy_pass                http://127.0.0.1:8081;
        }
    }
}

EOF

my $u = upstream(8081);

$t->plan(62)->run();

my ($worker) = $t->workers();
my $id = 0;

###############################################################################

# no room for the body, none behind its first bytes, no file for it, or one that
# cannot be read any more

my $long = 'x' x 20000;

foreach my $case (
	[ 'no space', 'pwrite 0 body_temp ' . ENOSPC ],
	[ 'no quota', 'pwrite 0 body_temp ' . EDQUOT ],
	[ 'some space', 'pwrite 0 body_temp half' ],
	[ 'no file', 'open 0 body_temp ' . ENOSPC ],
	[ 'no descriptor', 'open 0 body_temp ' . EMFILE ],
	[ 'no descriptor of the system', 'open 0 body_temp ' . ENFILE ],
	[ 'no permission', 'open 0 body_temp ' . EACCES ],
	[ 'not readable', 'pread 0 body_temp ' . EIO ],
) {
	my ($name, $rule) = @$case;

	foreach my $how ([ '/hook' ], [ '/file', chunked => [ 700, 3000 ] ]) {
		my ($uri, @opts) = @$how;
		my @event = (uri => $uri, @opts, body(++$id));

		$t->faults($rule);

		my $from = $t->log_pos();

		like(came(@event), qr/^5\d\d (?:UNAVAILABLE internal_error)?$/,
			"$name, $uri");
		ok(scalar $t->lines(qr/\[crit\] .*temp/, from => $from),
			"$name, $uri - told of");

		$t->faults();

		is(join(', ', came(@event), came(@event)),
			'200 PASSED proxied, 200 DUPLICATE already_delivered',
			"$name, $uri - delivered then");
	}
}

is(join("\n", $t->lines(qr/webhook rejected/)), '',
	'no fault is told to be the client\'s');

###############################################################################

# All descriptors are used up: by clients that keep their connections.

my @clients = map { client(port => 8080) } 1 .. 4;

is(came(client => $_, uri => '/hook', body(++$id)), '200 PASSED proxied',
	'a connection that is there') foreach @clients;

my $from = $t->log_pos();
my @idle = map { client(port => 8080) } 1 .. 100;

ok($t->wait_log(qr/accept4?\(\) failed \(24:/, from => $from), 'used up');

# they are still served, but the upstream is not connected to, and the body, if
# it is long, has no file

foreach my $n (0, 1) {
	my $name = $n ? 'long' : 'short';
	my @event = (uri => '/hook', body(++$id, $n ? $long : ''));

	like(came(client => $clients[2 * $n], @event), qr/^5\d\d /,
		"used up, $name");
	unlike(came(client => $clients[2 * $n + 1], forged(@event)),
		qr/proxied|^200/, "used up, $name, forged");
}

is(join(' ', $t->workers()), $worker, 'the same worker');

$_->close() foreach @idle;

ok(wait_until(sub { request(uri => '/', method => 'GET')->{status} == 200 }),
	'recovered');

foreach my $event ([ $id - 1, '' ], [ $id ]) {
	is(join(', ', map { came(uri => '/hook', body(@$event)) } 1, 2),
		'200 PASSED proxied, 200 DUPLICATE already_delivered',
		'delivered then');
}

###############################################################################

sub body {
	my ($id, $note) = @_;

	$note = $long unless defined $note;

	my $body = "{\"id\":\"event-$id\",\"note\":\"$note\"}";

	return (body => $body, headers => [ sign('nextpay', $secret, $body) ]);
}

sub forged {
	my (%event) = @_;

	return (%event, body => flip($event{body}));
}

# the status, the verdict, and whether it has come to the upstream as it was

sub came {
	my (%event) = @_;

	my $count = $u->count();
	my $r = request(%event);

	my $proxied = $u->count() > $count;

	return join ' ', $r->{status}, ($r->header('X-Verdict') || '') =~ s/ $//r,
		!$proxied ? () : $u->last()->{body} eq $event{body}
			? 'proxied' : 'proxied another';
}

###############################################################################
