#!/usr/bin/perl

# (C) ngx_http_webhook_module contributors

# Tests for what a state file brings back into a zone that is full.

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

my $secret = 'secret-of-nextpay-0123456789';

my $t = Test::Nginx->new()->has(qw/http proxy/)->plan(3);

my $d = $t->testdir();

mkdir "$d/state";

my $u = upstream(8081);

###############################################################################

# full: what is asked for and not known is refused, so that nothing changes

conf('64k');
$t->run();

my $slots = 8 * ((stat "$d/state/events.state")[7] / 256 - 1);
my $sent = sent(map { "full-$_" } 1 .. $slots * 1.1);

my @known = @{$sent->{'200 proxied'}};

cmp_ok(scalar @known, '>', $slots * 0.99, 'full');

my $from = $t->log_pos();

$t->stop();
$t->run();

is(told(sent(@known)), @known . ' x 200 duplicate', 'full - all are known');
is(join("\n", $t->lines(qr/\[error\].*\.state/, from => $from)), '',
	'full - nothing to be told');

###############################################################################

sub conf {
	my ($size) = @_;

	$t->write_file_expand('nginx.conf', <<"EOF");

%%TEST_GLOBALS%%

events {
}

http {
    %%TEST_GLOBALS_HTTP%%

    webhook_dedup_zone  zone=events:$size state=%%TESTDIR%%/state/events.state;

    webhook_in_flight_wait  0;

    keepalive_requests  10000;

    server {
        listen       127.0.0.1:8080;
        server_name  localhost;

        location / {
            proxy_pass  http://127.0.0.1:8081;
        }

        location /hook {
            webhook_verify  nextpay;
            webhook_secret  $secret;
            webhook_dedup   zone=events key=hook on_full=reject;
            proxy_pass      http://127.0.0.1:8081;
        }
    }
}

EOF
}

# the ids by what became of them

sub sent {
	my (@ids) = @_;

	my $client = client(port => 8080);
	my %sent;

	foreach my $id (@ids) {
		my $before = $u->count();
		my $r = deliver('nextpay', $secret, "{\"id\":\"$id\"}",
			uri => '/hook', client => $client);

		push @{$sent{join ' ', $r->{status},
			$r->header('Webhook-Duplicate') ? 'duplicate' : (),
			$u->count() > $before ? 'proxied' : ()}}, $id;
	}

	$client->close();

	return \%sent;
}

sub told {
	my ($sent) = @_;
	return join ', ', map { @{$sent->{$_}} . " x $_" } sort keys %$sent;
}

###############################################################################
