#!/usr/bin/perl

# (C) ngx_http_webhook_module contributors

# Tests for the wording of schemes: encodings of a digest, what a secret becomes
# a key by, tokens that are encoded.  What is genuine passes; with a byte that
# differs, or in another form, it reaches nothing.

###############################################################################

use warnings;
use strict;

use Test::More;

BEGIN { use FindBin; chdir($FindBin::Bin); }

use lib 'lib';
use Test::Nginx;
use Test::Nginx::Webhook;

use Digest::SHA qw/ sha1 sha256 sha256_hex /;
use MIME::Base64 qw/ encode_base64 encode_base64url /;

###############################################################################

select STDERR; $| = 1;
select STDOUT; $| = 1;

my $t = Test::Nginx->new()->has(qw/http proxy/)->plan(65);

# bytes that are told apart by their encodings

my $key = join '', map { chr } 0xf8 .. 0xff, 1 .. 24;

my %secret = (
	'hex-twice' => 'a secret of the wording test',
	'md5' => 'a secret of the wording test',
	'hashed' => 'a secret of the wording test',
	'hashed-part' => 'k_' . encode_base64($key, ''),
	'url' => encode_base64url($key),
	'url-padded' => encode_base64url($key) . '=',
	'basic' => 'user:a secret of the wording test',
	'token-hex' => 'a secret of the wording test',
	'sha256' => 'a secret of the wording test',
	'sha256-base64' => 'a secret of the wording test',
	'sha256-base64url' => 'a secret of the wording test',
	'sha256-ed25519' => ed25519_key(),
);

my $locations = '';

foreach my $name (sort keys %secret) {
	$t->write_file("$name.secret", "$secret{$name}\n");
	chmod 0600, $t->testdir() . "/$name.secret";

	my $scheme = $name eq 'url-padded' ? 'url' : $name;

	$locations .= <<"EOF";
        location = /$name {
            webhook_verify  $scheme;
            webhook_secret  file:%%TESTDIR%%/$name.secret;
            proxy_pass      http://127.0.0.1:8081;
        }
EOF
}

$t->write_file_expand('nginx.conf', <<"EOF");

%%TEST_GLOBALS%%

events {
}

http {
    %%TEST_GLOBALS_HTTP%%

    webhook_scheme hex-twice {
        signature  \$http_x_sig encoding=base64-hex;
        event_id   body;
    }

    webhook_scheme md5 {
        algorithm  hmac-md5;
        signature  \$http_x_sig;
        event_id   body;
    }

    webhook_scheme hashed {
        signature  \$http_x_sig;
        secret     digest=sha256;
        event_id   body;
    }

    webhook_scheme hashed-part {
        signature  \$http_x_sig;
        secret     prefix=k_ encoding=base64 digest=sha1;
        event_id   body;
    }

    webhook_scheme url {
        signature  \$http_x_sig;
        secret     encoding=base64url;
        event_id   body;
    }

    webhook_scheme sha256 {
        signature  \$http_x_sig;
        signed     \$webhook_body_sha256;
        event_id   body;
    }

    webhook_scheme sha256-base64 {
        signature  \$http_x_sig;
        timestamp  \$http_x_ts;
        signed     \$http_x_ts.\$webhook_body_sha256_base64.\$http_x_id;
        event_id   body;
    }

    webhook_scheme sha256-base64url {
        signature  \$http_x_sig;
        timestamp  \$http_x_ts;
        signed     v1:\${webhook_body_sha256_base64url}\$http_x_ts;
        event_id   body;
    }

    webhook_scheme sha256-ed25519 {
        algorithm  ed25519;
        signature  \$http_x_sig;
        signed     "<\$webhook_body_sha256>";
        secret     encoding=hex;
        event_id   body;
    }

    webhook_scheme token-hex {
        algorithm  token;
        signature  \$http_x_sig encoding=hex;
    }

    client_max_body_size  2m;

    add_header  X-Reason  \$webhook_reason  always;

    server {
        listen       127.0.0.1:8080;
        server_name  localhost;

$locations
    }
}

EOF

my $u = upstream(8081);

$t->run();

my $body = '{"id":"a"}';

###############################################################################

# base64 of hex

my $hex = digest('sha256', $secret{'hex-twice'});

passes('hex-twice', encode($hex));
passes('hex-twice', encode(uc $hex), 'capital letters');

refused('hex-twice', @$_) foreach
	[ 'malformed_signature', 'hex once', $hex ],
	[ 'malformed_signature', 'base64 once', encode(pack 'H*', $hex) ],
	[ 'malformed_signature', 'three times', encode(encode($hex)) ],
	[ 'malformed_signature', 'no hex', encode($hex =~ s/.$/g/r) ],
	[ 'malformed_signature', 'short', encode(substr $hex, 1) ],
	[ 'malformed_signature', 'shorter', encode(substr $hex, 2) ],
	[ 'malformed_signature', 'long', encode($hex . '00') ],
	[ 'malformed_signature', 'padded', encode($hex) . '=' ],
	[ 'malformed_signature', 'not padded', encode($hex) =~ s/=+$//r ],
	[ 'malformed_signature', 'very long', encode($hex x 20) ],
	[ 'signature_mismatch', 'other',
		encode($hex =~ s/^(.)/$1 eq '0' ? '1' : '0'/er) ];

# MD5

passes('md5', digest('md5', $secret{md5}));
refused('md5', 'malformed_signature', 'SHA-256',
	digest('sha256', $secret{md5}));
refused('md5', 'signature_mismatch', 'other secret', digest('md5', 'other'));

# a published one: RFC 2202, test case 2

is(unpack('H*', hmac('md5', 'Jefe', 'what do ya want for nothing?')),
	'750c783e6ab0b503eaa86e310a5db738', 'HMAC-MD5 of the test itself');

# keys

passes('hashed', digest('sha256', sha256($secret{hashed})));
refused('hashed', 'signature_mismatch', 'secret itself',
	digest('sha256', $secret{hashed}));
refused('hashed', 'signature_mismatch', 'hash in hex',
	digest('sha256', unpack('H*', sha256($secret{hashed}))));

passes('hashed-part', digest('sha256', sha1($key)));
refused('hashed-part', 'signature_mismatch', 'text',
	digest('sha256', sha1(encode($key))));
refused('hashed-part', 'signature_mismatch', 'bytes', digest('sha256', $key));

passes('url', digest('sha256', $key));
passes('url-padded', digest('sha256', $key));
refused('url', 'signature_mismatch', 'text', digest('sha256', $secret{url}));

# tokens

my $token = $secret{basic};

{
	my $r = ask('basic', Authorization => 'Basic ' . encode($token));
	is("$r->{status} " . $u->count(), '200 1', 'basic');
}

foreach my $value ('Basic ' . encode("$token "), 'Basic ' . encode("x$token"),
	'Basic ' . encode(substr $token, 1), 'Basic ' . encode(''),
	"Basic $token", 'Basic ' . encode(encode($token)), 'Basic ', 'Basic',
	encode($token), 'Bearer ' . encode($token))
{
	my $r = ask('basic', Authorization => $value);
	is("$r->{status} " . $u->count(), '401 0', "basic: $value");
}

passes('token-hex', unpack 'H*', $secret{'token-hex'});
refused('token-hex', 'malformed_signature', 'as it is', $secret{'token-hex'});

###############################################################################

# the hash of the body, however it comes, in its place

my $secret = $secret{sha256};
my $now = time();

my @bodies = ($body, '', "\0\xff\r\n", 'a' x 300000);

my %signed = (
	'sha256' => sub { sha256_hex($_[0]) },
	'sha256-base64' => sub { "$now." . encode(sha256($_[0])) . '.id' },
	'sha256-base64url' => sub { 'v1:' . encode_base64url(sha256($_[0]))
		. $now },
	'sha256-ed25519' => sub { '<' . sha256_hex($_[0]) . '>' },
);

foreach my $name (sort keys %signed) {
	is(join(', ', map { hashed($name, $_, $_) } @bodies),
		join(', ', ('200 1') x @bodies), "$name - genuine");
	is(join(', ', map { hashed($name, $_, "$_ ") } @bodies),
		join(', ', ('401 signature_mismatch 0') x @bodies),
		"$name - other body");
	is(hashed($name, $body, $body, sub { $_[0] =~ s/.$/A/r . 'B' }),
		'401 signature_mismatch 0', "$name - other text");
}

is(hashed('sha256', $body, $body, sub { $body }), '401 signature_mismatch 0',
	'sha256 - the body itself is signed');
is(hashed('sha256', $body, $body, sub { uc $_[0] }),
	'401 signature_mismatch 0', 'sha256 - capital letters');
is(hashed('sha256-base64url', $body, $body,
		sub { $_[0] =~ s/(\d{10})$/=$1/r }),
	'401 signature_mismatch 0', 'sha256-base64url - padded');

# 1m is the limit of what is kept whole, and this is not

is(hashed('sha256-ed25519', 'a' x 1100000, 'a' x 1100000), '200 1',
	'sha256-ed25519 - a long body');

###############################################################################

# configuration

foreach ('$request_body$webhook_body_sha256',
	'$webhook_body_sha256.$webhook_body_sha256_base64', 'text',
	'$http_a$webhook_body_sha256')
{
	my ($rc, $out) = $t->conf_test("webhook_scheme s { signature \$http_s; "
		. "signed $_; }\n", in => 'http');

	like("$rc $out", qr/^1 .*\[emerg\] .*"s" (?:needs exactly one|signs) /s,
		"signed $_");
}

foreach ('event_id $webhook_body_sha256', 'timestamp $webhook_body_sha256') {
	my ($rc, $out) = $t->conf_test("webhook_scheme s { signature \$http_s; "
		. "$_; }\n", in => 'http');

	like("$rc $out", qr/^1 .*webhook_body_sha256" cannot be used here/s, $_);
}

foreach (
	[ 'secret digest=md5;', 'invalid parameter "digest=md5"' ],
	[ 'secret encoding=base64-hex;', 'invalid parameter "encoding=' ])
{
	my ($line, $message) = @$_;
	my ($rc, $out) = $t->conf_test(
		"webhook_scheme s { signature \$http_s; $line }\n", in => 'http');

	like("$rc $out", qr/^1 .*\[emerg\] .*?\Q$message\E/s, $line);
}

{
	my ($rc, $out) = $t->conf_test("webhook_scheme s { algorithm hmac-md5; "
		. "signature \$http_s; }\n"
		. "webhook_scheme p from=patreon { retries 1h; }\n",
		in => 'http');

	like("$rc $out", qr/^0 .*\[warn\] \S* ?scheme "s" uses MD5/s, 'MD5');
	unlike($out, qr/scheme "p" uses/, 'MD5 of another scheme');
}

###############################################################################

sub digest {
	my ($algorithm, $key) = @_;
	return unpack 'H*', hmac($algorithm, $key, $body);
}

# Ed25519 by openssl, with a key of its own

sub ed25519_key {
	my $dir = $t->testdir();

	system("openssl genpkey -algorithm ed25519 -out $dir/ed25519.pem") == 0
		or die "openssl failed\n";

	return unpack 'H*', substr `openssl pkey -in $dir/ed25519.pem -pubout \\
		-outform DER`, -32;
}

sub ed25519 {
	my ($text) = @_;
	my $dir = $t->testdir();

	$t->write_file('text', $text);

	return unpack 'H*', `openssl pkeyutl -sign -rawin -in $dir/text \\
		-inkey $dir/ed25519.pem`;
}

# what comes of a body that is signed, and sent as another one

sub hashed {
	my ($name, $body, $sent, $change) = @_;

	my $text = $signed{$name}->($body);
	$text = $change->($text) if $change;

	$u->reset();

	my $r = request(uri => "/$name", body => $sent, headers => [
		[ 'X-Ts', $now ], [ 'X-Id', 'id' ], [ 'X-Sig',
		$name eq 'sha256-ed25519' ? ed25519($text)
			: unpack 'H*', hmac('sha256', $secret, $text) ] ]);

	my $reason = $r->header('X-Reason');

	return join ' ', $r->{status}, $reason ? $reason : (), $u->count();
}

sub encode {
	return encode_base64($_[0], '');
}

sub ask {
	my ($name, @header) = @_;

	$u->reset();

	return request(uri => "/$name", body => $body,
		headers => [ [ @header ] ]);
}

sub passes {
	my ($name, $value, $what) = @_;

	my $r = ask($name, 'X-Sig' => $value);

	is("$r->{status} " . $u->count(), '200 1',
		"$name" . (defined $what ? ": $what" : ''));
}

sub refused {
	my ($name, $reason, $what, $value) = @_;

	my $r = ask($name, 'X-Sig' => $value);

	is(join(' ', $r->{status}, $r->header('X-Reason'), $u->count()),
		"401 $reason 0", "$name: $what");
}

###############################################################################
