#!/usr/bin/perl

# (C) ngx_http_webhook_module contributors

# Tests for webhook_diagnose with public keys: sixteen signatures are verified,
# or four that take longer, and no more; the keys are those of the place first,
# each once.

###############################################################################

use warnings;
use strict;

use Test::More;

BEGIN { use FindBin; chdir($FindBin::Bin); }

use lib 'lib';
use Test::Nginx;
use Test::Nginx::Webhook;

use MIME::Base64 qw/ encode_base64 /;

###############################################################################

select STDERR; $| = 1;
select STDOUT; $| = 1;

my $now = 1764000000;

my $t = Test::Nginx->new()->has(qw/http proxy/)->has_faketime()->plan(18);
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

# one that takes longer

openssl('genpkey', '-quiet', '-algorithm', 'EC', '-pkeyopt',
	'ec_paramgen_curve:P-384', '-out', "$d/key384");
openssl('pkey', '-in', "$d/key384", '-pubout', '-out', "$d/public384");

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

    webhook_scheme long {
        algorithm  ecdsa-sha256;
        signature  \$http_x_signature encoding=base64;
    }

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

        location = /long {
            webhook_verify  long;
            webhook_secret  pem:public384;
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

# by a key that takes longer, four

my $json = '{"a": "/"}';

is(hint_long($json, $json), '-', 'long, genuine');
is(hint_long("$json\r\n", $json), 'body_newline_lost', 'long, the 2nd');
is(hint_long('{"a":"/"}', $json), 'body_blanks', 'long, the 4th');
is(hint_long($json, '{"a":"/"}'), 'none', 'long, the 5th');
is(hint_long('', $json), 'none', 'long, the last');

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

	return ask($place, $sent, [ 'X-Signature-Timestamp', $now ],
		[ 'X-Signature-Ed25519', unpack 'H*', openssl('pkeyutl', '-sign',
		'-rawin', '-inkey', "$d/key$key", '-in', "$d/text") ]);
}

sub hint_long {
	my ($signed, $sent) = @_;

	$t->clock($now += 1);
	$t->write_file('text', $signed);

	return ask('long', $sent, [ 'X-Signature', encode_base64(openssl('dgst',
		'-sha256', '-sign', "$d/key384", "$d/text"), '') ]);
}

sub ask {
	my ($place, $sent, @headers) = @_;

	$n++;
	request(port => 8080, uri => "/$place", body => $sent,
		headers => [ @headers, [ 'X-Case', "hint $n" ] ]);

	return (($t->logged("hint $n", name => 'hints.log'))[0]
		=~ /"([^"]*)"$/)[0];
}

###############################################################################
