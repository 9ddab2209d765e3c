#!/usr/bin/perl

# (C) ngx_http_webhook_module contributors

# Tests for the zone as a whole: by what it knows events.

###############################################################################

use warnings;
use strict;

use Test::More;

BEGIN { use FindBin; chdir($FindBin::Bin); }

use lib 'lib';
use Test::Nginx;
use Test::Nginx::Webhook;

use Digest::SHA qw/ sha256 /;

###############################################################################

select STDERR; $| = 1;
select STDOUT; $| = 1;

my $secret = 'secret-of-nextpay-0123456789';

my $t = Test::Nginx->new()->has(qw/http proxy rewrite/)->plan(9);

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

$t->run();

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
	my $n = $u->count();

	my $r = request(uri => '/key', %opts,
		body => $opts{forged} ? "$body " : $body,
		headers => [ sign('nextpay', $secret, $body) ]);

	return join ' ', $r->{status},
		defined $r->header('Webhook-Duplicate') ? 'duplicate' : (),
		$u->count() > $n ? 'proxied' : ();
}

# whether the state file has an event that is named by these strings

sub named {
	my $id = sha256(join '', map { pack('Q<', length) . $_ } @_);

	return index($t->read_file('state/events.state'), substr($id, 0, 16))
		>= 0;
}

###############################################################################
