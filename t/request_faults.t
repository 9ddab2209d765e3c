#!/usr/bin/perl

# (C) ngx_http_webhook_module contributors

# Tests for faults of the server: each allocation of a request fails, one after
# the other, and each call of OpenSSL.  Whatever fails, a genuine event is not
# refused, a forged one does not pass, and the event is delivered once after.
# unit/faults.c is compiled and preloaded into nginx.

###############################################################################

use warnings;
use strict;

use Test::More;

BEGIN { use FindBin; chdir($FindBin::Bin); }

use lib 'lib';
use Test::Nginx;
use Test::Nginx::Webhook;
use Test::Nginx::Providers;
use Test::Nginx::Unit;

###############################################################################

select STDERR; $| = 1;
select STDOUT; $| = 1;

use constant { MEMORY => 1, CALLS => 2 };

plan(skip_all => 'sanitizers have an allocator of their own')
	if $ENV{TEST_NGINX_SANITIZE};

Test::Nginx::Unit::has_compiler();

my $t = Test::Nginx->new()->has(qw/http proxy map/)->plan(38)
	->allow(qr/\(12: Cannot allocate memory\)/);

# pools as small as can be: nearly each allocation is one of its own

$t->write_file_expand('nginx.conf', <<"EOF");

%%TEST_GLOBALS%%

worker_processes  1;

events {
}

http {
    %%TEST_GLOBALS_HTTP%%

    access_log  off;

    request_pool_size     112;
    connection_pool_size  112;

    webhook_dedup_zone  zone=events:1m;

    map \$arg_tenant \$tenant_secret {
        default  "";
        @{[ 'one' x 12 ]}  secret-of-tenant-one;
    }

    server {
        listen       127.0.0.1:8080;
        server_name  localhost;

        webhook_dedup  zone=events;

        location /memory {
            webhook_verify  nextpay;
            webhook_secret  secret-of-the-faults;
            proxy_pass      http://127.0.0.1:8081;
        }

        location /file {
            webhook_verify  nextpay;
            webhook_secret  secret-of-the-faults;
            proxy_pass      http://127.0.0.1:8081;

            client_body_in_file_only  clean;
        }

        location /map {
            webhook_verify  nextpay;
            webhook_secret  secret-of-another  \$tenant_secret;
            webhook_dedup   zone=events key=\$arg_tenant;
            proxy_pass      http://127.0.0.1:8081;
        }

        location /key {
            webhook_verify  nextpay;
            webhook_secret  secret-of-the-faults;
            webhook_dedup   zone=events key=\$tenant_secret;
            proxy_pass      http://127.0.0.1:8081;
        }

        location /groups {
            webhook_verify  persona;
            webhook_secret  @{[ secrets('persona', 'new') ]};
            proxy_pass      http://127.0.0.1:8081;
        }

        location /ed25519 {
            webhook_verify  discord;
            webhook_secret  @{[ secrets('discord', 'new') ]};
            proxy_pass      http://127.0.0.1:8081;
        }

        location /token {
            webhook_verify  telegram;
            webhook_secret  @{[ secrets('telegram', 'new') ]};
            proxy_pass      http://127.0.0.1:8081;
        }
    }
}

EOF

my $library = $t->testdir() . '/faults.so';
my $numbers = $t->testdir() . '/faults';

is(Test::Nginx::Unit::compile_library('faults', $library), '', 'compiled')
	or BAIL_OUT('unit/faults.c does not compile');

$t->write_file('faults', "\0" x 4096);

open my $fh, '+<', $numbers or die "Can't open $numbers: $!\n";

my $u = upstream(8081);

{
	local $ENV{LD_PRELOAD} = $library;
	local $ENV{TEST_NGINX_FAULTS} = $numbers;

	$t->run();
}

my ($worker) = $t->workers();

my $id = 0;

###############################################################################

my %events = (
	'id in JSON' => sub { nextpay('/memory') },
	'id in JSON, in pieces' => sub {
		(nextpay('/memory'), chunked => [ 20 ])
	},
	'id in JSON, in a file' => sub { nextpay('/file') },
	'secret from a map' => sub {
		nextpay('/map?tenant=' . 'one' x 12, 'secret-of-tenant-one')
	},
	'namespace from a map' => sub {
		nextpay('/key?tenant=' . 'one' x 12)
	},
	'groups' => sub {
		(event('persona', n => ++$id, key => [ 'new', 'other' ]),
			uri => '/groups')
	},
	'Ed25519' => sub {
		(event('discord', n => ++$id), uri => '/ed25519')
	},
	'token' => sub { (event('telegram', n => ++$id), uri => '/token') },
);

foreach my $mode (MEMORY, CALLS) {
	my $what = $mode == MEMORY ? 'allocations' : 'calls';

	foreach my $name (sort keys %events) {
		my $code = $events{$name};

		is(each_fault($mode, \&genuine, $code), '', "$name, $what");
		is(each_fault($mode, \&forged, $code), '',
			"$name, forged, $what");
	}

	my %event = nextpay('/memory');
	request(%event);

	is(each_fault($mode, \&repeated, sub { %event }), '',
		"repeated, $what");
}

is(join(' ', $t->workers()), $worker, 'the same worker');

my %event = nextpay('/memory');

is(join(', ', map { outcome(request(%event)) } 1, 2), '200, 200 duplicate',
	'and all is well');

is(join("\n", $t->lines(qr/malformed_|missing_|no_secret/)), '',
	'no fault is told to be the client\'s');

###############################################################################

# one request after the other, until there is nothing left that could fail

sub each_fault {
	my ($mode, $check, $code) = @_;

	my @wrong;
	my $n = 0;

	while (1) {
		my %event = $code->();

		$u->reset();

		arm($mode, ++$n);
		my $got = outcome($check == \&forged ? forge(%event)
			: request(%event));
		my $failed = disarm();

		my $wrong = $check->($got, $failed, %event);
		push @wrong, "$n: $wrong" if defined $wrong;

		last if !$failed or @wrong > 10;
	}

	diag("$n") if $ENV{TEST_NGINX_VERBOSE};

	push @wrong, 'nothing fails' if $n < 2;

	return join "\n", @wrong;
}

# let through, or kept from it by a fault of ours; and then delivered once

sub genuine {
	my ($got, $failed, %event) = @_;

	return "answered $got" if $got !~ ($failed ? qr/^(?:200|5\d\d|closed)$/
		: qr/^200$/);

	my $count = $u->count();

	return "answered 200, delivered $count times"
		if $got eq '200' and $count != 1;

	my $again = outcome(request(%event));
	my $then = $u->count();

	# without an answer to us the event may be delivered twice

	return "answered $got, then $again, delivered $count times, then $then"
		unless $again eq '200 duplicate' and $then == $count and $count
			or $again eq '200' and $then == $count + 1
				and $got ne '200';

	return if $again ne '200';

	return 'another body' if $u->last()->{body} ne $event{body};

	$again = outcome(request(%event));

	return "answered $got, then 200, then $again"
		if $again ne '200 duplicate' or $u->count() != $then;

	return;
}

sub forged {
	my ($got, $failed, %event) = @_;

	return "answered $got" if $got !~ ($failed ? qr/^(?:401|5\d\d|closed)$/
		: qr/^401$/);

	return 'proxied' if $u->connections();

	return;
}

sub repeated {
	my ($got, $failed, %event) = @_;

	return "answered $got" if $got !~ ($failed
		? qr/^(?:200 duplicate|5\d\d(?: duplicate)?|closed)$/
		: qr/^200 duplicate$/);

	return 'proxied' if $u->connections();

	return;
}

# a byte differs: of the body, or of the token

sub forge {
	my (%event) = @_;

	if ($event{uri} eq '/token') {
		$_->[1] =~ s/(.)\z/chr(ord($1) ^ 1)/e
			foreach grep { $_->[0] =~ /token/ } @{$event{headers}};

	} else {
		$event{body} =~ s/\}\z/ /;
	}

	return request(%event);
}

sub outcome {
	my ($r) = @_;

	return 'closed' unless $r->{status};

	return $r->{status} . ($r->header('Webhook-Duplicate') ? ' duplicate'
		: '');
}

sub nextpay {
	my ($uri, $secret) = @_;

	my $body = '{"id":"event-' . ++$id . '","note":"\u00e4"}';

	return (uri => $uri, body => $body, headers => [
		sign('nextpay', $secret || 'secret-of-the-faults', $body) ]);
}

###############################################################################

sub arm {
	my ($mode, $place) = @_;

	sysseek($fh, 0, 0);
	syswrite($fh, pack('i4', $mode, $place, 0, 0));
}

# whether something has failed

sub disarm {
	sysseek($fh, 0, 0);
	syswrite($fh, pack('i', 0));

	sysseek($fh, 0, 0);
	sysread($fh, my $buf, 16);

	return (unpack('i4', $buf))[3];
}

###############################################################################
