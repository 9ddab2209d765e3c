#!/usr/bin/perl

# (C) ngx_http_webhook_module contributors

# Tests for forms that are signed by their sorted parameters: what their order
# and encoding may be, what is no form, what is too much of one, that one event
# has one key whichever way it is written, and what nginx -t says.

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

my $t = Test::Nginx->new()->has(qw/http proxy/)->plan(116);

my $secret = 'a secret of the test of forms';
my $now = time();

openssl('genpkey', '-algorithm', 'ed25519', '-out', $t->testdir() . '/key');

$t->write_file('secret', "$secret\n");
$t->write_file('ed', unpack('H*', substr(openssl('pkey', '-in',
	$t->testdir() . '/key', '-pubout', '-outform', 'DER'), -32)) . "\n");

chmod 0600, map { $t->testdir() . "/$_" } qw/ secret ed /;

$t->write_file_expand('nginx.conf', <<"EOF_");

%%TEST_GLOBALS%%

events {
}

http {
    %%TEST_GLOBALS_HTTP%%

    webhook_dedup_zone  zone=events:1m;

    webhook_scheme form {
        signature  \$http_x_sig;
        signed     \$webhook_form_sorted;
        event_id   body;
    }

    webhook_scheme around {
        signature  \$http_x_sig;
        timestamp  \$http_x_ts;
        signed     \$http_x_ts.\$webhook_form_sorted|\$http_x_id;
    }

    webhook_scheme ed {
        algorithm  ed25519;
        signature  \$http_x_sig;
        signed     "<\$webhook_form_sorted>";
        secret     encoding=hex;
    }

    webhook_scheme sms from=twilio {
        dedup_key  body;
    }

    client_max_body_size     4m;
    client_body_buffer_size  2m;

    add_header        X-Reason  \$webhook_reason  always;
    proxy_set_header  X-Id      \$webhook_event_id;

    server {
        listen       127.0.0.1:8080;
        server_name  localhost;

        webhook_secret  file:secret;

        location = /form {
            webhook_verify  form;
            proxy_pass      http://127.0.0.1:8081;
        }

        location = /file {
            webhook_verify  form;
            proxy_pass      http://127.0.0.1:8081;

            client_body_in_file_only  clean;
        }

        location = /around {
            webhook_verify  around;
            proxy_pass      http://127.0.0.1:8081;
        }

        location = /ed {
            webhook_verify  ed;
            webhook_secret  file:ed;
            proxy_pass      http://127.0.0.1:8081;
        }

        location = /sms {
            webhook_verify  sms;
            webhook_dedup   zone=events;
            proxy_pass      http://127.0.0.1:8081;
        }
    }
}

EOF_

my $u = upstream(8081);

$t->run();

my $type = 'application/x-www-form-urlencoded';

###############################################################################

# what is signed of a form

foreach (
	[ 'a=b', 'ab', 'one' ],
	[ 'b=2&a=1', 'a1b2', 'sorted' ],
	[ 'a=b%20c+d%2B', 'ab c d+', 'decoded' ],
	[ '%61=%62', 'ab', 'decoded, letters' ],
	[ '%2561=1', '%611', 'decoded once' ],
	[ 'a=%26b%3D1', 'a&b=1', 'delimiters in a value' ],
	[ 'a=b=c', 'ab=c', 'a second =' ],
	[ 'a', 'a', 'no value' ],
	[ 'a=', 'a', 'empty value' ],
	[ 'a=2&a=1', 'a1a2', 'sorted by value' ],
	[ 'a=1&b=2&a=1', 'a1b2', 'equal ones once' ],
	[ 'a=1&%61=%31', 'a1', 'equal ones once, written otherwise' ],
	[ 'a=1&a=&a', 'aa1', 'without a value, and with an empty one' ],
	[ 'ab=1&a=b1', 'ab1ab1', 'the same text, other names' ],
	[ 'B=1&a=2&_=3', 'B1_3a2', 'sorted by bytes' ],
	[ "\xc3\xa9=1&z=2", "z2\xc3\xa91", 'UTF-8, as it is' ],
	[ 'a=%F0%9F%98%80&%C3%A9=%e2%98%83',
		"a\xf0\x9f\x98\x80\xc3\xa9\xe2\x98\x83", 'UTF-8, encoded' ],
	[ 'a=%FF%C3', "a\xff\xc3", 'no UTF-8' ],
	[ 'a=1%002&a%00=3', "a1\0002a\0003", 'NUL' ],
	[ "a=\0&b=1", "a\0b1", 'NUL, as it is' ],
	[ 'a=%0D%0Ab', "a\r\nb", 'line ends' ],
	[ 'a=1;b=2', 'a1;b=2', 'a semicolon is a character' ],
	[ '', '', 'no body' ],
	[ (join '&', map { "n$_=$_" } 1 .. 1000), (join '', map { "n$_$_" }
		sort 1 .. 1000), 'a thousand parameters' ],
	[ (join '&', ('a=1') x 1000), 'a1', 'a thousand times the same' ],
	[ 'a=' . 'x' x (1024 * 1024 - 2), 'a' . 'x' x (1024 * 1024 - 2), '1m' ],
	)
{
	my ($body, $text, $name) = @$_;

	is(form($body, $text), '200', "form - $name");

	# with one byte changed, in what is signed or in what is sent

	is(form($body, $text . 'x'), '401 signature_mismatch',
		"form - $name, other text");
}

foreach (
	[ 'a=1&b=2', 'b2a1', 'not sorted' ],
	[ 'a=1&a=1', 'a1a1', 'equal ones twice' ],
	[ 'a=1%002', 'a1', 'up to a NUL' ],
	[ 'a=b+c', 'ab+c', 'not decoded' ],
	[ 'a=%2561', 'aa', 'decoded twice' ],
	[ 'a=1&b=2', 'a=1&b=2', 'the body itself' ],
	[ 'a=1&b=2', 'a1', 'one left out' ],
	[ 'a=1', 'a1b2', 'one missing' ],
	)
{
	my ($body, $text, $name) = @$_;

	is(form($body, $text), '401 signature_mismatch', "form - $name");
}

# what is no form, or too much of one; the signature is that of what a sloppy
# decoder finds

foreach (
	[ 'a=%', 'a%', 'broken' ],
	[ 'a=%4', 'a%4', 'broken, one digit' ],
	[ 'a=%zz', 'a%zz', 'broken, no digits' ],
	[ 'a=%&b=1', 'a%b1', 'broken, before &' ],
	[ '%=1', '%1', 'broken name' ],
	[ 'a=%u0061', 'a%u0061', 'broken, %u' ],
	[ '=1', '1', 'empty name' ],
	[ 'a=1&=2', '2a1', 'empty name, the second' ],
	[ '=', '', 'empty name and value' ],
	[ '&', '', 'nothing but &' ],
	[ 'a=1&', 'a1', '& at the end' ],
	[ 'a=1&&b=2', 'a1b2', '& twice' ],
	)
{
	my ($body, $text, $name) = @$_;

	is(form($body, $text), '401 malformed_field', "form - $name");
}

is(form((join '&', map { "n$_=$_" } 1 .. 1001), (join '', map { "n$_$_" }
	sort 1 .. 1001)), '413 body_too_large', 'form - 1001 parameters');
is(form('&' x 1001, ''), '413 body_too_large', 'form - nothing but &, 1001');
is(form('a=' . 'x' x (1024 * 1024), 'a' . 'x' x (1024 * 1024)),
	'413 body_too_large', 'form - over 1m');
is(form('a=' . 'x' x (1024 * 1024), 'a' . 'x' x (1024 * 1024),
	chunked => [ 100000 ]), '413 body_too_large', 'form - over 1m, chunked');

# how it comes

is(form('b=2&a=1', 'a1b2', uri => 'file'), '200', 'form - in a file');
is(form('b=2&a=2', 'a1b2', uri => 'file'), '401 signature_mismatch',
	'form - in a file, other body');
is(form('b=2&a=1', 'a1b2', chunked => [ 1, 2 ]), '200', 'form - chunked');
is(form('b=2&a=1', 'a1b2', pieces => [ 1 .. 6 ]), '200',
	'form - byte by byte');

# what it is said to be

foreach ('Application/X-WWW-Form-URLencoded', "$type; charset=utf-8",
	"$type;charset=ISO-8859-1", "$type ")
{
	is(form('a=b', 'ab', type => $_), '200', "form - $_");
}

foreach ('application/json', 'multipart/form-data; boundary=a', "${type}x",
	'text/plain', ' ', "a, $type")
{
	is(form('a=b', 'ab', type => $_), '401 malformed_field', "form - $_");
}

is(form('a=b', 'ab', type => undef), '401 malformed_field', 'form - no type');
is(form('a=b', 'ab', type => undef, chunked => [ 1 ]), '401 malformed_field',
	'form - no type, chunked');
is(form('', '', type => undef), '200', 'form - no type and no body');

# with other things around it, and as a whole

is(form('b=2&a=1', "$now.a1b2|x", uri => 'around'), '200', 'around');
is(form('b=2&a=1|x', "$now.a1b2|x", uri => 'around'),
	'401 signature_mismatch', 'around - other form');
is(form('b=2&a=1', '<a1b2>', uri => 'ed'), '200', 'ed25519');
is(form('b=2&a=2', '<a1b2>', uri => 'ed'), '401 signature_mismatch',
	'ed25519 - other form');

# one event, whichever way it is written, is delivered once

my $sms = 'https://localhost/smsBodyhi thereFrom+1MessageSidSM1';

is(form('MessageSid=SM1&From=%2B1&Body=hi+there', $sms, uri => 'sms'), '200',
	'sms');

foreach ('From=%2B1&Body=hi+there&MessageSid=SM1',
	'MessageSid=SM1&From=%2b1&Body=hi%20there',
	'MessageSid=SM1&MessageSid=SM1&From=%2B1&Body=hi+there',
	'Body=hi+thereFrom%2B1&MessageSid=SM1')
{
	is(form($_, $sms, uri => 'sms'), '200 duplicate', "sms - $_");
}

is(form('From=%2B1', $sms, uri => 'smsBodyhi'), '404 proxied 0',
	'sms - other address');
is(form('MessageSid=SM2&From=%2B1&Body=hi+there', $sms =~ s/SM1/SM2/r,
	uri => 'sms'), '200', 'sms - other event');

# a text that goes on in the address

my $dots = 'https://localhost/smsBody/../smsFrom1';

is(form('Body=/../sms&From=1', $dots, uri => 'sms'), '200',
	'sms - a path in its text');
is(form('From=1', $dots, uri => 'smsBody/../sms'), '401 malformed_field',
	'sms - the path in the address');

###############################################################################

# configuration

foreach (
	[ 'signed $webhook_form_sorted$request_body;', 'needs exactly one' ],
	[ 'signed $webhook_form_sorted$webhook_form_sorted;',
		'needs exactly one' ],
	[ 'signed $http_a.$webhook_form_sorted; body_hash $http_a;',
		'needs exactly one' ],
	[ 'signed $http_a$webhook_form_sorted;',
		'signs "$http_a" directly before "$webhook_form_sorted"' ],
	[ 'signed $webhook_form_sorted$http_a;',
		'signs "$webhook_form_sorted" directly before "$http_a"' ],
	[ 'event_id $webhook_form_sorted;', 'cannot be used here' ],
	[ 'signed $webhook_form_sorted; dedup_key json:/id;',
		'has a "dedup_key" that the signature does not cover' ],
	[ 'signed $webhook_form_sorted; timestamp json:/time;',
		'has a timestamp in JSON, but signs a form' ],
	[ 'signed $webhook_form_sorted; handshake get hmac=query:c;',
		'handshake would sign events' ],
	)
{
	my ($lines, $message) = @$_;

	my ($rc, $out) = $t->conf_test("webhook_scheme s { signature \$http_s;"
		. " $lines }\n", in => 'http');

	like("$rc $out", qr/^1 .*\[emerg\] .*\Q$message\E/s, "conf - $lines");
}

my ($rc, $out) = $t->conf_test("webhook_dedup_zone zone=z:1m; server {"
	. ' location / { webhook_verify twilio; webhook_dedup zone=z;'
	. " webhook_secret file:secret; } }\n", in => 'http');

like("$rc $out", qr/^1 .*\[emerg\] .*webhook_dedup/s, 'conf - calls have no key');

###############################################################################

sub form {
	my ($body, $text, %opts) = @_;

	my $uri = delete $opts{uri} || 'form';
	my $content = exists $opts{type} ? delete $opts{type} : $type;

	my $sig = $uri eq 'ed' ? ed25519($text)
		: unpack 'H*', hmac($uri =~ /^sms/ ? 'sha1' : 'sha256', $secret,
			$text);

	$u->reset();

	my $r = request(uri => "/$uri", body => $body, %opts, headers => [
		defined $content ? [ 'Content-Type', $content ] : (),
		[ 'X-Sig', $sig ], [ 'X-Ts', $now ], [ 'X-Id', 'x' ],
		[ 'X-Twilio-Signature', encode_base64(pack('H*', $sig), '') ] ]);

	my $reason = $r->header('X-Reason');

	return "$r->{status} " . (defined $reason && length $reason ? $reason
		. ($u->count() ? ' proxied' : '') : 'proxied ' . $u->count())
		if $r->{status} != 200;

	return '200 duplicate' if $r->header('Webhook-Duplicate');
	return '200, other body' if $u->count() != 1
		or $u->last()->{body} ne $body;

	return '200';
}

sub openssl {
	my (@args) = @_;

	open my $fh, '-|', 'openssl', @args or die "Can't run openssl: $!\n";
	binmode $fh;
	local $/;

	return scalar <$fh>;
}

sub ed25519 {
	my ($text) = @_;

	$t->write_file('text', $text);

	return unpack 'H*', openssl('pkeyutl', '-sign', '-rawin', '-in',
		$t->testdir() . '/text', '-inkey', $t->testdir() . '/key');
}

###############################################################################
