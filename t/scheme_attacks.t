#!/usr/bin/perl

# (C) ngx_http_webhook_module contributors

# Tests for what public keys are attacked with: signatures that anybody can
# make, other forms of those that were made, and names of keys.  Whatever is
# forged is refused, and leaves no trace; whatever is genuine, in another form,
# is the same event.

###############################################################################

use warnings;
use strict;

use Test::More;

BEGIN { use FindBin; chdir($FindBin::Bin); }

use lib 'lib';
use Test::Nginx;
use Test::Nginx::Webhook;

use Digest::SHA qw/ sha256 /;
use JSON::PP;
use Math::BigInt try => 'GMP';
use MIME::Base64 qw/ decode_base64 encode_base64 encode_base64url /;

###############################################################################

select STDERR; $| = 1;
select STDOUT; $| = 1;

my $t = Test::Nginx->new()->has(qw/http proxy/);
my $d = $t->testdir();

my %how = (
	(map { $_ => [ 'RSA', 'rsa_keygen_bits:2048' ] } qw/ rsa second enc /),
	three => [ 'RSA', 'rsa_keygen_bits:2048', 'rsa_keygen_pubexp:3' ],
	ec => [ 'EC', 'ec_paramgen_curve:P-256' ],
	ed => [ 'ED25519' ],
);

foreach my $name (sort keys %how) {
	my ($algorithm, @opts) = @{$how{$name}};

	openssl('genpkey', '-algorithm', $algorithm,
		(map { ('-pkeyopt', $_) } @opts), '-out', "$d/$name.key");
	openssl('pkey', '-in', "$d/$name.key", '-pubout', '-out',
		"$d/$name.pem");
	chmod 0644, "$d/$name.pem";
}

$t->write_file('set.jwks', JSON::PP->new()->encode({ keys => [
	map { { kty => 'RSA', e => 'AQAB', kid => $_,
		use => $_ eq 'enc' ? 'enc' : 'sig',
		n => encode_base64url(pack 'H*', modulus($_)->to_hex()) } }
		qw/ rsa second enc /
] }));
chmod 0644, "$d/set.jwks";

my %locations = (
	rsa => [ 'rsa-sha256', 'pem:rsa.pem' ],
	three => [ 'rsa-sha256', 'pem:three.pem' ],
	pss => [ 'rsa-pss-sha256', 'pem:rsa.pem' ],
	ec => [ 'ecdsa-sha256', 'pem:ec.pem' ],
	raw => [ 'ecdsa-sha256', 'pem:ec.pem', 'form=raw' ],
	ed => [ 'ed25519', 'pem:ed.pem' ],
	set => [ 'rsa-sha256', 'jwks:set.jwks' ],
);

my $schemes = join '', map {
	my ($algorithm, undef, $form) = @{$locations{$_}};

	"webhook_scheme $_ { algorithm $algorithm; event_id \$http_x_id;"
		. ' signature $http_x_sig encoding=base64 ' . ($form || '') . ';'
		. ($_ eq 'set' ? ' key_id $http_x_key;' : '')
		. ' signed $http_x_id.$request_body; }' . "\n"
} sort keys %locations;

my $places = join '', map {
	"location = /$_ { webhook_verify $_; webhook_secret $locations{$_}[1];"
		. " proxy_pass http://127.0.0.1:8081; }\n"
} sort keys %locations;

$t->write_file_expand('nginx.conf', <<"EOF");

%%TEST_GLOBALS%%

events {
}

http {
    %%TEST_GLOBALS_HTTP%%

    webhook_dedup_zone  zone=events:1m;
    webhook_dedup       zone=events;

    add_header  X-Verdict  "\$webhook_status \$webhook_reason"  always;

    large_client_header_buffers  4 32k;

    $schemes

    server {
        listen       127.0.0.1:8080;
        server_name  localhost;

        $places
    }
}

EOF

my $u = upstream(8081);

$t->plan(141)->run();

my $body = '{"id":"of no importance"}';
my $ids = 0;

my $mismatch = 'signature_mismatch';

###############################################################################

# RSA: what comes of the modulus alone, or of a signature of the same number

my $n = modulus('rsa');

foreach my $place (qw/ rsa pss /) {
	forged("$place: nothing", $place, sub { bytes(0, 256) });
	forged("$place: one", $place, sub { bytes(1, 256) });
	forged("$place: minus one", $place, sub { bytes($n - 1, 256) });
	forged("$place: the modulus", $place, sub { bytes($n, 256) });
	forged("$place: negative", $place,
		sub { bytes($n - number($_[1]), 256) });
	forged("$place: and the modulus", $place,
		sub { bytes(number($_[1]) + $n, 256) },
		if => sub { number($_[0]) + $n < Math::BigInt->new(2) ** 2048 });
	forged("$place: with a zero before it", $place, sub { "\0$_[1]" });
	forged("$place: without its last byte", $place,
		sub { substr $_[1], 0, -1 });
	forged("$place: from its end", $place, sub { scalar reverse $_[1] });
}

forged('rsa: signed with PSS', 'rsa', sub { signature('pss', $_[0]) });
forged('pss: signed without it', 'pss', sub { signature('rsa', $_[0]) });

# the block that the signature is of: what the digest is wrapped in

my $sha256 = pack 'H*', '3031300d060960864801650304020105000420';

foreach my $case (
	[ 'the digest alone', sub { $_[0] } ],
	[ 'no parameters', sub { pack('H*',
		'302f300b0609608648016503040201' . '0420') . $_[0] } ],
	[ 'another digest of that length', sub { pack('H*',
		'3031300d060960864801650304020605000420') . $_[0] } ],
	[ 'more behind it', sub { "$sha256$_[0]\0" } ],
	[ 'more inside', sub { pack('H*',
		'3033300f0609608648016503040201050002000420') . $_[0] } ],
	[ 'long form of a length', sub { pack('H*',
		'308131300d060960864801650304020105000420') . $_[0] } ],
	[ 'the digest of another text', sub { $sha256 . sha256('x') } ],
	[ 'nothing', sub { '' } ])
{
	my ($name, $code) = @$case;

	forged("rsa: $name", 'rsa',
		sub { padded('rsa', $code->(sha256($_[0]))) });
}

is(join('', map { outcome('rsa', $_->[0], padded('rsa', $sha256
	. sha256("$_->[0].$body"))) } [ 'control' ]), '200 PASSED 1',
	'rsa: as it is wrapped');

# with the exponent 3 anybody finds numbers whose cube begins like a signature

foreach my $case (
	[ 'padding cut short', "\0\1" . "\xff" x 8 . "\0" ],
	[ 'no padding', "\0\1\0" ],
	[ 'no first byte', "\1" . "\xff" x 8 . "\0" ])
{
	my ($name, $start) = @$case;

	forged("exponent 3: $name", 'three', sub {
		my $wanted = $start . $sha256 . sha256($_[0]);
		my $room = 256 - length $wanted;
		my $root = number($wanted . "\0" x $room)->broot(3) + 1;

		my $cube = bytes($root->copy()->bpow(3), 256);
		die "no cube\n" if substr($cube, 0, length $wanted) ne $wanted;

		return bytes($root, 256);
	});
}

###############################################################################

# ECDSA: numbers that are none of a signature

my $order = Math::BigInt->from_hex('ffffffff00000000ffffffffffffffffbce6faad'
	. 'a7179e84f3b9cac2fc632551');
my ($zero, $one) = map { Math::BigInt->new($_) } 0, 1;

my %numbers = (
	'zeroes' => sub { ($zero, $zero) },
	'first is zero' => sub { ($zero, $_[1]) },
	'second is zero' => sub { ($_[0], $zero) },
	'ones' => sub { ($one, $one) },
	'orders' => sub { ($order, $order) },
	'first is the order' => sub { ($order, $_[1]) },
	'second is the order' => sub { ($_[0], $order) },
	'minus ones' => sub { ($order - 1, $order - 1) },
	'the other order' => sub { ($_[1], $_[0]) },
	'first is negative' => sub { ($order - $_[0], $_[1]) },
	'twice the first' => sub { ($_[0], $_[0]) },
);

foreach my $name (sort keys %numbers) {
	forged("raw: $name", 'raw',
		sub { join '', map { bytes($_, 32) } $numbers{$name}->(rs($_[1])) });
	forged("DER: $name", 'ec',
		sub { der(map { integer($_) } $numbers{$name}->(rs($_[1]))) });
}

# and the right ones in another form

forged('DER: first and the order', 'ec', sub { my ($r, $s) = rs($_[1]);
	der(integer($r + $order), integer($s)) });
forged('DER: second and the order', 'ec', sub { my ($r, $s) = rs($_[1]);
	der(integer($r), integer($s + $order)) });
forged('DER: zero before the first', 'ec', sub { my ($r, $s) = rs($_[1]);
	der("\2" . chr(34) . "\0\0" . bytes($r, 32), integer($s)) });
forged('DER: three numbers', 'ec',
	sub { der((map { integer($_) } rs($_[1])), integer($one)) });
forged('DER: one number', 'ec', sub { der(integer((rs($_[1]))[0])) });
forged('DER: numbers of no length', 'ec', sub { der("\2\0", "\2\0") });
forged('DER: long form of the length', 'ec',
	sub { "\x30\x81" . substr $_[1], 1 });
forged('DER: indefinite length', 'ec',
	sub { "\x30\x80" . substr($_[1], 2) . "\0\0" });
forged('DER: length of gigabytes', 'ec',
	sub { "\x30\x84\x7f\xff\xff\xff" . substr $_[1], 2 });
forged('DER: another type', 'ec', sub { "\x31" . substr $_[1], 1 });
forged('DER: where raw is wanted', 'raw', sub { signature('ec', $_[0]) });
forged('raw: where DER is wanted', 'ec',
	sub { join '', map { bytes($_, 32) } rs($_[1]) });

# there are two of each, of which anybody finds the second: one event

foreach my $place (qw/ ec raw /) {
	my $id = 'event-' . ++$ids;
	my $sig = signature($place, "$id.$body");
	my ($r, $s) = rs($sig);
	my $other = $place eq 'ec' ? der(integer($r), integer($order - $s))
		: bytes($r, 32) . bytes($order - $s, 32);

	is(join(', ', outcome($place, $id, flip($other)),
		map { outcome($place, $id, $_) } $other, $sig, $other),
		"401 REJECTED $mismatch 0, 200 PASSED 1,"
		. ' 200 DUPLICATE already_delivered 0,'
		. ' 200 DUPLICATE already_delivered 0',
		"$place: the other signature");
}

###############################################################################

# Ed25519

my $group = Math::BigInt->from_hex('1000000000000000000000000000000014def9de'
	. 'a2f79cd65812631a5cf5d3ed');
my $identity = "\1" . "\0" x 31;

foreach my $case (
	[ 'second and the order', sub { my ($r, $s) = @_;
		$r . scalar reverse bytes(number(scalar reverse $s) + $group, 32) } ],
	[ 'second is the order', sub {
		$_[0] . scalar reverse bytes($group, 32) } ],
	[ 'second is zero', sub { $_[0] . "\0" x 32 } ],
	[ 'second with its highest bits', sub { my ($r, $s) = @_;
		substr($s, 31, 1) |= "\xe0"; "$r$s" } ],
	[ 'first is not a point', sub { "\xff" x 32 . $_[1] } ],
	[ 'first with the other sign', sub { my ($r, $s) = @_;
		substr($r, 31, 1) ^= "\x80"; "$r$s" } ],
	[ 'first is the identity', sub { $identity . $_[1] } ],
	[ 'identity and zero', sub { $identity . "\0" x 32 } ],
	[ 'zeroes', sub { "\0" x 64 } ],
	[ 'the other order', sub { "$_[1]$_[0]" } ])
{
	my ($name, $code) = @$case;

	forged("Ed25519: $name", 'ed',
		sub { $code->(unpack 'a32 a32', $_[1]) });
}

###############################################################################

# a public key is no secret

foreach my $place (qw/ rsa ec ed /) {
	my $pem = $t->read_file("$place.pem");
	my ($text) = $pem =~ /KEY-----\n(.*)\n-----END/s;
	my $der = decode_base64($text);

	my @keys = ($pem, $pem =~ s/\n\z//r, $text, $text =~ s/\n//gr, $der,
		substr($der, -32), '');

	my $id = 'event-' . ++$ids;

	is(join(', ', map { outcome($place, $id, hmac('sha256', $_,
		"$id.$body")) } @keys), join(', ', ('401 REJECTED '
		. ($place eq 'ed' ? 'malformed_signature' : $mismatch) . ' 0')
		x @keys), "$place: a MAC with the public key");
}

# with some keys anybody could sign: they are refused

my @points = map { my $p = pack 'H*', $_; ($p, $p | ("\0" x 31 . "\x80")) }
	'00' x 32, '01' . '00' x 31, 'ec' . 'ff' x 30 . '7f',
	'ed' . 'ff' x 30 . '7f', 'ee' . 'ff' x 30 . '7f',
	'26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05',
	'c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a';

$t->write_file('weak.jwks', '');
chmod 0644, "$d/weak.jwks";

foreach my $point (@points) {
	my $hex = unpack 'H*', $point;

	is(conf('ed25519', 'secret encoding=hex;', $hex), 'anybody', "$hex as text");

	is(conf('ed25519', '', 'jwks:weak.jwks', { kty => 'OKP', crv => 'Ed25519',
		x => encode_base64url($point) }), 'anybody', "$hex as JWK");
}

foreach my $e ([ 'AQ', 'anybody' ], [ 'AAAAAQ', 'anybody' ], [ 'AQE', '' ],
	[ 'AgEB', '' ], [ 'Aw', '' ])
{
	is(conf('rsa-sha256', '', 'jwks:weak.jwks', { kty => 'RSA', e => $e->[0],
		n => encode_base64url(bytes($n, 256)) }), $e->[1],
		"exponent $e->[0]");
}

# others are next to them

is(conf('ed25519', 'secret encoding=hex;', $_), '', "$_ as text") foreach
	'03' . '00' x 31, '66' x 32,
	unpack 'H*', substr openssl('pkey', '-pubin', '-in', "$d/ed.pem",
		'-outform', 'DER'), -32;

# names of keys

my @unknown = ('RSA', '../rsa', './rsa', 'rsa.pem', 'file:rsa.pem', '"rsa"',
	'rsa,second', 'rsa;', '*', '%', '{"kid":"rsa"}', '0', '1', 'rsa%00',
	'http://127.0.0.1/set.jwks', 'rsa\' or \'1', "r\xcc\x88sa", 'enc', 'r',
	'rsaa', 'x' x 20000);

forged('keys by other names', 'set', sub { $_[1] },
	reason => 'unknown_key', key => $_) foreach @unknown;

forged('another key by its name', 'set', sub { $_[1] }, key => 'second');
forged('no name', 'set', sub { $_[1] }, reason => 'missing_field', key => '');
forged('two names', 'set', sub { $_[1] }, reason => 'malformed_field',
	key => [ 'rsa', 'second' ]);

###############################################################################

# refused, and not remembered: as it was signed it passes, once

sub forged {
	my ($name, $place, $code, %opts) = @_;

	my ($id, $sig);

	do {
		$id = 'event-' . ++$ids;
		$sig = signature($place, "$id.$body");
	} while $opts{if} && !$opts{if}->($sig);

	my $reason = $opts{reason} || $mismatch;
	my $form = $place eq 'raw' || $place eq 'ed' ? '|malformed_signature' : '';

	like(join(', ', outcome($place, $id, $code->("$id.$body", $sig),
		$opts{key}), map { outcome($place, $id, $sig) } 1 .. 2),
		qr/^401\ REJECTED\ (?:$reason$form)\ 0,\ 200\ PASSED\ 1,
		\ 200\ DUPLICATE\ already_delivered\ 0$/x, $name);
}

sub outcome {
	my ($place, $id, $sig, $key) = @_;

	return judged($u, uri => "/$place", body => $body, headers => [
		[ 'X-Id', $id ], [ 'X-Sig', encode_base64($sig, '') ],
		[ 'X-Key', defined $key ? $key : 'rsa' ] ]) =~ s/ +/ /gr;
}

# whether the configuration refuses a key

sub conf {
	my ($algorithm, $lines, $source, @keys) = @_;

	$t->write_file('weak.jwks', JSON::PP->new()->encode({ keys => \@keys }))
		if @keys;

	my ($rc, $out) = $t->conf_test("webhook_scheme a { algorithm $algorithm;"
		. " signature \$http_x_sig encoding=base64; $lines } server {"
		. " location / { webhook_verify a; webhook_secret $source; } }",
		in => 'http');

	return $rc == 0 ? ''
		: $out =~ /is refused: .* anybody could sign with/ ? 'anybody'
		: $out;
}

sub signature {
	my ($place, $text) = @_;

	$t->write_file('text', $text);

	my $key = { pss => 'rsa', set => 'rsa', raw => 'ec' }->{$place} || $place;

	return openssl('pkeyutl', '-sign', '-rawin', '-inkey', "$d/ed.key",
		'-in', "$d/text") if $place eq 'ed';

	my $sig = openssl('dgst', '-sha256', '-sign', "$d/$key.key",
		$place eq 'pss' ? ('-sigopt', 'rsa_padding_mode:pss', '-sigopt',
			'rsa_pss_saltlen:digest') : (), "$d/text");

	return $place eq 'raw' ? join('', map { bytes($_, 32) } rs($sig)) : $sig;
}

# a block with the padding of PKCS #1, signed

sub padded {
	my ($key, $text) = @_;

	$t->write_file('text', $text);

	return openssl('pkeyutl', '-sign', '-inkey', "$d/$key.key",
		'-pkeyopt', 'rsa_padding_mode:pkcs1', '-in', "$d/text");
}

sub modulus {
	my ($name) = @_;

	my ($hex) = openssl('rsa', '-pubin', '-in', "$d/$name.pem", '-modulus',
		'-noout') =~ /=(\w+)/;

	return Math::BigInt->from_hex($hex);
}

# numbers, as bytes and in DER

sub number {
	return Math::BigInt->from_hex(unpack 'H*', $_[0]);
}

sub bytes {
	my ($number, $len) = @_;

	my $hex = Math::BigInt->new($number)->to_hex();

	return pack 'H*', '0' x (2 * $len - length $hex) . $hex;
}

sub integer {
	my ($number) = @_;

	my $hex = $number->to_hex();
	$hex = "0$hex" if length($hex) % 2;
	$hex = "00$hex" if $hex =~ /^[89a-f]/;

	return "\2" . chr(length($hex) / 2) . pack 'H*', $hex;
}

sub der {
	my $text = join '', @_;
	return "\x30" . chr(length $text) . $text;
}

sub rs {
	my ($sig) = @_;

	return map { number($_) } unpack 'a32 a32', $sig if length $sig == 64;

	my (undef, undef, undef, $r, undef, $s) = unpack 'C C C C/a C C/a', $sig;

	return map { number($_) } $r, $s;
}

sub openssl {
	my (@args) = @_;

	open my $stderr, '>&', \*STDERR or die;
	open STDERR, '>>', "$d/openssl.log" or die;
	open my $fh, '-|', 'openssl', @args or die "Can't run openssl: $!\n";
	open STDERR, '>&', $stderr or die;
	binmode $fh;
	my $out = do { local $/; <$fh> };

	close $fh or die "openssl @args failed\n";

	return $out;
}

###############################################################################
