#!/usr/bin/perl

# (C) ngx_http_webhook_module contributors

# Tests for events that the monitor is asked for: whether one is remembered;
# one that is forgotten is delivered again, once, while others stay duplicates,
# also after a restart; all of a zone; what is refused changes nothing; the log
# does not tell which event it was.

###############################################################################

use warnings;
use strict;

use Test::More;

BEGIN { use FindBin; chdir($FindBin::Bin); }

use lib 'lib';
use Test::Nginx;
use Test::Nginx::Monitor;
use Test::Nginx::Webhook;

use Digest::SHA qw/ sha256_hex /;
use JSON::PP qw/ decode_json /;

###############################################################################

select STDERR; $| = 1;
select STDOUT; $| = 1;

my $now = 1764000000;
my $secret = 'the-secret-of-the-test';

my $t = Test::Nginx->new()->has(qw/http proxy map/)->has_faketime()->plan(109);

$t->write_file_expand('nginx.conf', <<"EOF");

%%TEST_GLOBALS%%

worker_processes  2;

events {
}

http {
    %%TEST_GLOBALS_HTTP%%

    webhook_dedup_zone  zone=z:1m;
    webhook_dedup_zone  zone=s:1m state=%%TESTDIR%%/s.state;
    webhook_dedup_zone  zone=shared:1m store=away;

    webhook_store away {
        server  127.0.0.1:8089;
    }

    webhook_scheme parts from=nextpay {
        dedup_key  \$http_x_topic body;
        dedup_key  \$http_x_topic json:/id body;
    }

    log_format  verdict  '"\$uri" \$webhook_dedup_id';
    access_log  %%TESTDIR%%/verdict.log  verdict;

    server {
        listen       127.0.0.1:8088;
        server_name  localhost;

        location = /webhooks {
            webhook_monitor  write=on;
        }

        location = /read {
            webhook_monitor;
        }
    }

    server {
        listen       127.0.0.1:8080;
        server_name  hooks.example.com;

        webhook_secret          $secret;
        webhook_in_flight_wait  0;

        location = /one {
            webhook_verify  nextpay;
            webhook_dedup   zone=z ttl=1h lease=20s;
            proxy_pass      http://127.0.0.1:8081;
        }

        location = /state {
            webhook_verify  nextpay;
            webhook_dedup   zone=s ttl=1h;
            proxy_pass      http://127.0.0.1:8081;
        }

        location = /shared {
            webhook_verify  nextpay;
            webhook_dedup   zone=shared;
            proxy_pass      http://127.0.0.1:8081;
        }

        location = /constant {
            webhook_verify  nextpay;
            webhook_dedup   zone=z key=all;
            proxy_pass      http://127.0.0.1:8081;
        }

        location = /tenant {
            webhook_verify  nextpay;
            webhook_dedup   zone=z key=\$arg_tenant;
            proxy_pass      http://127.0.0.1:8081;
        }

        location = /parts {
            webhook_verify  parts;
            webhook_dedup   zone=z;
            proxy_pass      http://127.0.0.1:8081;
        }

        location = /plain {
            webhook_verify  nextpay;
            proxy_pass      http://127.0.0.1:8081;
        }
    }
}

EOF

my $u = upstream(8081);

$t->clock($now)->run();

###############################################################################

# what a store remembers too is not forgotten here

my %shared = (server => 'hooks.example.com', location => '/shared', key => 'a');

is(sent('a', uri => '/shared'), '200 proxied', 'store, delivered');
like(asked(%shared), qr/^200 shared done /, 'store, asked');
is(forgot('shared', %shared), '503 store_unavailable', 'store, not forgotten');
is(forgot('shared', zone => 'shared', all => 'yes'), '400 bad_request',
	'store, all');
is(sent('a', uri => '/shared'), '200 duplicate', 'store, nothing changed');

my %one = (server => 'hooks.example.com', location => '/one');

# asked

is(asked(%one, key => 'a'), '200 z unknown -', 'unknown');
is(sent('a'), '200 proxied', 'delivered');
is(asked(%one, key => 'a'), '200 z done ' . ($now + 3600), 'done');
is(asked(%one, key => 'b'), '200 z unknown -', 'another one');

my $logged = ($t->logged('/one'))[0];
is(body(%one, key => 'a')->{id}, $logged, 'its id is the one in the log');
is(asked(zone => 'z', id => $logged), '200 z done ' . ($now + 3600),
	'by its id');
is(asked(zone => 'z', id => uc $logged), '200 z done ' . ($now + 3600),
	'in capitals');
is(asked(zone => 's', id => $logged), '200 s unknown -', 'in another zone');

my $r = monitor(args(%one, key => 'a'));
is($r->header('Content-Type'), 'application/json', 'JSON');
is($r->header('Cache-Control'), 'no-store', 'not cached');
is(monitor(args(%one, key => 'a'), method => 'HEAD', head => 1)->{status}, 200,
	'HEAD');
is(monitor(args(%one, key => 'a'), uri => '/read?' . args(%one, key => 'a'))
	->{status}, 200, 'write=off - asked');

# a name of any kind

is(sent('a b&c=%20"'), '200 proxied', 'odd - delivered');
is(asked(%one, key => 'a b&c=%20"'), '200 z done ' . ($now + 3600),
	'odd - asked');

# in flight, which cannot be forgotten

$u->script('hang');

my $n = $u->count();
my $c = sent('flight', send_only => 1);
$u->wait_for($n + 1);

is(asked(%one, key => 'flight'), '200 z in_flight ' . ($now + 20),
	'in flight');
is(forgot('z', %one, key => 'flight'), '409 in_flight', 'in flight - DELETE');
is(asked(%one, key => 'flight'), '200 z in_flight ' . ($now + 20),
	'in flight - nothing changed');

$u->release();
is(answered($c->response()), '200', 'in flight - answered');
is(sent('flight'), '200 duplicate', 'in flight - remembered');

###############################################################################

# forgotten: delivered again, once; others are not

is(sent('b'), '200 proxied', 'another one delivered');
is(forgot('z', %one, key => 'a'), '200 z 1', 'forgotten');
is(asked(%one, key => 'a'), '200 z unknown -', 'forgotten - unknown');
is(sent('b'), '200 duplicate', 'forgotten - another one is not');
is(sent('a'), '200 proxied', 'forgotten - delivered again');
is(sent('a'), '200 duplicate', 'forgotten - once');

is(forgot('z', zone => 'z', id => $logged), '200 z 1', 'forgotten by its id');
is(forgot('z', zone => 'z', id => $logged), '404 not_remembered',
	'not remembered');
is(metric('dedup_forgotten_total', zone => 'z'), 2, 'counted');
is(metric('dedup_forgotten_total', zone => 's'), 0, 'counted - by zone');

# namespaces, keys of several parts

is(sent('n', uri => '/constant'), '200 proxied', 'constant - delivered');
is(forgot('z', %one, location => '/constant', key => 'n'), '200 z 1',
	'constant - forgotten');
is(sent('n', uri => '/constant'), '200 proxied', 'constant - again');

sent('n', uri => "/tenant?tenant=$_") foreach 1, 2;
is(asked(%one, location => '/tenant', key => 'n', namespace => 3),
	'200 z unknown -', 'tenants - another one');
is(forgot('z', %one, location => '/tenant', key => 'n', namespace => 1),
	'200 z 1', 'tenants - forgotten');
is(sent('n', uri => '/tenant?tenant=2'), '200 duplicate',
	'tenants - not of another one');
is(sent('n', uri => '/tenant?tenant=1'), '200 proxied', 'tenants - again');

my @topic = (uri => '/parts', headers => [ [ 'X-Topic', 'news' ] ]);
my $body = sha256_hex('{"id":"p"}');

is(sent('p', @topic), '200 proxied', 'parts - delivered');
is(asked(%one, location => '/parts', key => [ $body, 'news' ]),
	'200 z unknown -', 'parts - in another order');
is(asked(%one, location => '/parts', key => [ 'news', 'p', $body ]),
	'200 z unknown -', 'parts - of another line');
is(forgot('z', %one, location => '/parts', key => [ 'news', $body ]),
	'200 z 1', 'parts - forgotten');
is(sent('p', @topic), '200 proxied', 'parts - again');

###############################################################################

# what is refused changes nothing

my $before = metric('dedup_forgotten_total', zone => 'z');

sent('kept');
my %kept = (%one, key => 'kept');
my $id = body(%kept)->{id};

foreach my $case (
	[ 'no key', %one ],
	[ 'no location', server => 'hooks.example.com', key => 'kept' ],
	[ 'no server', location => '/one', key => 'kept' ],
	[ 'another location', %kept, location => '/two' ],
	[ 'another server', %kept, server => 'other.example.com' ],
	[ 'not deduplicated', %kept, location => '/plain' ],
	[ 'too many keys', %one, key => [ 'kept', 'kept' ] ],
	[ 'far too many keys', %one, key => [ ('kept') x 9 ] ],
	[ 'too few keys', %kept, location => '/parts' ],
	[ 'a namespace', %kept, namespace => 'all' ],
	[ 'a namespace for a constant', %kept, location => '/constant',
		namespace => 'all' ],
	[ 'no namespace', %kept, location => '/tenant' ],
	[ 'key and zone', %kept, zone => 'z' ],
	[ 'key and id', %kept, id => $id ],
	[ 'no id', zone => 'z' ],
	[ 'no zone', id => $id ],
	[ 'another zone', zone => 'y', id => $id ],
	[ 'short id', zone => 'z', id => substr $id, 1 ],
	[ 'long id', zone => 'z', id => "${id}0" ],
	[ 'no hex', zone => 'z', id => 'g' . substr $id, 1 ],
	[ 'a second id', zone => 'z', id => [ $id, $id ] ],
	[ 'empty', %one, key => '' ],
	[ 'too long', %one, key => 'x' x 1025 ],
	[ 'unknown argument', %kept, what => 'x' ],
	[ 'a format that is none', %kept, format => 'xml' ],
	[ 'all and an id', zone => 'z', id => $id, all => 'yes' ],
	[ 'all without a zone', all => 'yes' ],
	[ 'not all', zone => 'z', all => 'no' ],
) {
	my ($name, @args) = @$case;

	is(join(', ', asked(@args), forgot('z', @args)),
		'400 bad_request, 400 bad_request', $name);
}

# what nobody has encoded would be read as another event

foreach my $end (qw/ % %2 %zz %2x /) {
	my $args = args(%kept) . $end;

	is(join(', ', told(monitor($args)), told(monitor($args,
		method => 'DELETE', headers => [ [ 'Webhook-Forget', 'z' ] ]))),
		'400 bad_request, 400 bad_request', "no encoding, $end");
}

is(asked(zone => 'z', all => 'yes'), '400 bad_request', 'GET of all');
is(forgot('z'), '400 bad_request', 'DELETE of nothing');

is(forgot(undef, %kept), '400 bad_request', 'no header');
is(forgot('s', %kept), '400 bad_request', 'a header for another zone');
is(forgot([ 'z', 'z' ], %kept), '400 bad_request', 'two headers');
is(forgot('', zone => 'z', all => 'yes'), '400 bad_request', 'empty header');

foreach my $method (qw/ POST PUT OPTIONS /) {
	$r = monitor(args(%kept), method => $method,
		headers => [ [ 'Webhook-Forget', 'z' ] ]);
	is($r->{status} . ' ' . $r->header('Allow'),
		'405 GET, HEAD, DELETE', $method);
}

$r = monitor('', uri => '/read?' . args(%kept), method => 'DELETE',
	headers => [ [ 'Webhook-Forget', 'z' ] ]);
is($r->{status} . ' ' . $r->header('Allow'), '405 GET, HEAD', 'write=off');

$r = monitor(args(%kept), method => 'DELETE', headers => [
	[ 'Webhook-Forget', 'z' ], [ 'X-Forwarded-For', '127.0.0.1' ] ]);
is($r->{status}, 403, 'from elsewhere');

is(metric('dedup_forgotten_total', zone => 'z'), $before,
	'refused - none is forgotten');
is(sent('kept'), '200 duplicate', 'refused - a duplicate');

# the page has a button for it only where it may

like(monitor('format=html')->{body}, qr/<button[^>]* id="forget">/,
	'page - button');
unlike(monitor('', uri => '/read?format=html')->{body}, qr/id="forget"/,
	'page - write=off');

###############################################################################

# the state file

is(join(', ', map { sent($_, uri => '/state') } 1 .. 3),
	join(', ', ('200 proxied') x 3), 'state - delivered');
is(forgot('s', %one, location => '/state', key => 2), '200 s 1',
	'state - forgotten');

$t->stop();
$t->run();

is(join(', ', map { sent($_, uri => '/state') } 1 .. 3),
	'200 duplicate, 200 proxied, 200 duplicate', 'state - after a restart');
is(sent(2, uri => '/state'), '200 duplicate', 'state - once');

# all of a zone, but for what is in flight

sent($_) foreach 'a' .. 'e';

$u->script('hang');

$n = $u->count();
$c = sent('flight', uri => '/state', send_only => 1);
$u->wait_for($n + 1);

is(forgot('s', zone => 's', all => 'yes'), '200 s 3', 'all - forgotten');
is(asked(%one, location => '/state', key => 'flight'),
	'200 s in_flight ' . ($now + 30), 'all - but what is in flight');
is(metric('dedup_forgotten_total', zone => 's'), 3, 'all - counted');
is(sent(1, uri => '/state'), '200 proxied', 'all - delivered again');

$u->release();
is(answered($c->response()), '200', 'all - in flight, accepted');
is(forgot('s', zone => 's', all => 'yes'), '200 s 2', 'all - again');
is(forgot('s', zone => 's', all => 'yes'), '200 s 0', 'all - nothing');
is(sent('c'), '200 duplicate', 'all - not of another zone');

$t->stop();
$t->run();

is(join(', ', map { sent($_, uri => '/state') } 1 .. 3, 'flight'),
	join(', ', ('200 proxied') x 4), 'all - after a restart');

###############################################################################

# the log: who, where and how many

my @notices = map { s/.*\[notice\] [\d#]+: (?:\*\d+ )?//r }
	$t->lines(qr/\[notice\].*forgotten/);

is($notices[0], 'webhook dedup zone "z": 1 events were forgotten on request '
	. 'of client 127.0.0.1', 'log - notice');
is(scalar(grep { / 3 events/ } @notices), 1, 'log - all');

my @told = grep { !/\[debug\]/ }
	$t->lines(qr/\Q$id\E|\Q$logged\E|key=|webhooks\?/);
is(join("\n", grep { !/from elsewhere|is for local clients/ } @told), '',
	'log - nothing of the event');

###############################################################################

sub args {
	my (@args) = @_;
	my (@pairs, %last);

	while (my ($name, $value) = splice @args, 0, 2) {
		$last{$name} = $value;
	}

	foreach my $name (sort keys %last) {
		push @pairs, map { "$name=" . s/([^\w.\/-])/sprintf '%%%02x',
			ord $1/ger } ref $last{$name} ? @{$last{$name}}
			: $last{$name};
	}

	return join '&', @pairs;
}

sub body {
	return decode_json(monitor(args(@_))->{body});
}

sub told {
	my ($r) = @_;

	my $d = eval { decode_json($r->{body}) } || {};

	return join ' ', $r->{status}, $d->{error} && length $d->{message}
		? $d->{error} : $d->{zone}, exists $d->{forgotten}
		? $d->{forgotten} : exists $d->{state} ? ($d->{state},
		defined $d->{until} ? $d->{until} : '-') : ();
}

sub asked {
	my (@args) = @_;

	return told(monitor(args(@args)));
}

sub forgot {
	my ($zone, @args) = @_;

	return told(monitor(args(@args), method => 'DELETE', headers => [
		map { [ 'Webhook-Forget', $_ ] } ref $zone ? @$zone
		: defined $zone ? $zone : () ]));
}

sub sent {
	my ($id, %opts) = @_;

	my @event = ('nextpay', $secret, '{"id":"' . $id =~ s/"/\\"/gr . '"}',
		uri => '/one', %opts);

	return deliver(@event) if $opts{send_only};

	return came_of($u, sub { deliver(@event) });
}

###############################################################################
