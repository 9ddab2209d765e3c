#!/usr/bin/perl

# (C) ngx_http_webhook_module contributors

# Tests for faults of the server: each allocation of a request fails, one after
# the other, and each call of OpenSSL.  Whatever fails, a genuine event is not
# refused, a forged one does not pass, the event is delivered once after, and
# nothing is left in memory.

###############################################################################

use warnings;
use strict;

use Test::More;

BEGIN { use FindBin; chdir($FindBin::Bin); }

use lib 'lib';
use Test::Nginx;
use Test::Nginx::Faults;
use Test::Nginx::Providers;
use Test::Nginx::Webhook;

###############################################################################

select STDERR; $| = 1;
select STDOUT; $| = 1;

my $t = Test::Nginx->new()->has(qw/http proxy map/)
	->allow(qr/\(12: Cannot allocate memory\)/);
my $faults = Test::Nginx::Faults->new($t);

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

my $u = upstream(8081);

$t->plan(37)->run();

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

		is($faults->each($mode, genuine($u, $code)), '',
			"$name, $what");
		is($faults->each($mode, forged($u, sub { forge($code->()) })),
			'', "$name, forged, $what");
	}

	my %event = nextpay('/memory');
	request(%event);

	is($faults->each($mode, repeated($u, sub { %event })), '',
		"repeated, $what");
}

is(join(' ', $t->workers()), $worker, 'the same worker');

my %event = nextpay('/memory');

is(join(', ', map { outcome(request(%event)) } 1, 2), '200, 200 duplicate',
	'and all is well');

is(join("\n", $t->lines(qr/malformed_|missing_|no_secret/)), '',
	'no fault is told to be the client\'s');

###############################################################################

# a byte differs: of the body, or of the token

sub forge {
	my (%event) = @_;

	if ($event{uri} eq '/token') {
		$_->[1] =~ s/(.)\z/chr(ord($1) ^ 1)/e
			foreach grep { $_->[0] =~ /token/ } @{$event{headers}};

	} else {
		$event{body} =~ s/\}\z/ /;
	}

	return %event;
}

sub nextpay {
	my ($uri, $secret) = @_;

	my $body = '{"id":"event-' . ++$id . '","note":"\u00e4"}';

	return (uri => $uri, body => $body, headers => [
		sign('nextpay', $secret || 'secret-of-the-faults', $body) ]);
}

###############################################################################
