#!/usr/bin/perl

# (C) ngx_http_webhook_module contributors

# Tests for webhook_diagnose with public keys: sixteen signatures are verified,
# and no more; the keys are those of the place first, each once.

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

my $now = 1764000000;

my $t = Test::Nginx->new()->has(qw/http proxy/)->has_faketime()->plan(13);
my $d = $t->testdir();

my @public;

foreach my $n (1 .. 8) {
	openssl('genpkey', '-quiet', '-algorithm', 'ed25519', '-out', "$d/key$n");

	push @public, unpack 'H*', substr openssl('pkey', '-in', "$d/key$n",
		'-pubout', '-outform', 'DER'), -32;
}

$t->write_file('eight', join "\n", @public, '');
$t->write_file('one', "$public[0]\n");

chmod 0600, "$d/eight", "$d/one";

$t->write_file_expand('nginx.conf', <<"EOF_");

%%TEST_GLOBALS%%

worker_processes  1;

events {
}

http {
    %%TEST_GLOBALS_HTTP%%

    log_format  hints  '"\$http_x_case" "\$webhook_hint"';
    access_log  %%TESTDIR%%/hints.log  hints;

    webhook_diagnose  on;

    server {
        listen       127.0.0.1:8080;
        server_name  localhost;

        location = /eight {
            webhook_verify  discord;
            webhook_secret  file:eight;
            proxy_pass      http://127.0.0.1:8081;
        }

        location = /one {
            webhook_verify  discord;
            webhook_secret  file:one;
            proxy_pass      http://127.0.0.1:8081;
        }
    }
}

EOF_

my $u = upstream(8081);

$t->clock($now)->run();

###############################################################################

my ($n, $lf, $crlf) = (0, "{\n}", "{\r\n}");

# a line end that was lost is one, or two bytes: each is tried with eight keys,
# and then there are no more of the sixteen

is(hint('eight', 8, $lf, $lf), '-', 'genuine');
is(hint('eight', 8, "$lf\n", $lf), 'body_newline_lost', 'the 8th');
is(hint('eight', 1, "$lf\r\n", $lf), 'body_newline_lost', 'the 9th');
is(hint('eight', 8, "$lf\r\n", $lf), 'body_newline_lost', 'the 16th');
is(hint('eight', 1, $crlf, $lf), 'none', 'the 17th');
is(hint('eight', 8, '', $lf), 'none', 'the last');

# a line end at the end is taken off before

is(hint('eight', 8, $lf, "$lf\n"), 'body_newline_added', 'other line end');
is(hint('eight', 8, "$lf\n\n", "$lf\n"), 'body_newline_lost',
	'other line end, the 16th');
is(hint('eight', 1, "$lf\n\r\n", "$lf\n"), 'none', 'other line end, the 17th');

# with one key of its own, and those of the other place

is(hint('one', 1, $crlf, $lf), 'body_line_ends', 'one key');
is(hint('one', 1, '', $lf), 'body_empty', 'one key, the last');
is(hint('one', 8, $lf, $lf), 'secret_of:localhost/eight', 'other place');
is(hint('one', 8, $crlf, $lf), 'none', 'other place, other body');

###############################################################################

sub openssl {
	open my $fh, '-|', 'openssl', @_ or die "Can't run openssl: $!\n";
	binmode $fh;
	local $/;

	return scalar <$fh>;
}

# the hint, where a body is signed with that key, and another one is sent

sub hint {
	my ($place, $key, $signed, $sent) = @_;

	$t->clock($now += 1);
	$t->write_file('text', $now . $signed);
	$n++;

	my $signature = openssl('pkeyutl', '-sign', '-rawin', '-inkey',
		"$d/key$key", '-in', "$d/text");

	request(port => 8080, uri => "/$place", body => $sent, headers => [
		[ 'X-Signature-Timestamp', $now ],
		[ 'X-Signature-Ed25519', unpack 'H*', $signature ],
		[ 'X-Case', "hint $n" ] ]);

	return (($t->logged("hint $n", name => 'hints.log'))[0]
		=~ /"([^"]*)"$/)[0];
}

###############################################################################
