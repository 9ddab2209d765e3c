#!/usr/bin/perl

# (C) ngx_http_webhook_module contributors

# Tests for secrets: where they come from, how their text becomes a key, and
# keys of all lengths with all algorithms.

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

my $t = Test::Nginx->new()->has(qw/http proxy map/)->has_faketime()
	->plan(149);

my $now = 1764000000;
my @algorithms = qw/ sha1 sha256 sha384 sha512 /;
my @lengths = (1, 16, 63, 64, 65, 127, 128, 129, 200);

# RFC 4231

my @rfc = (
	[ '0b' x 20, unpack('H*', 'Hi There'),
		'b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7',
		'afd03944d84895626b0825f4ab46907f15f9dadbe4101ec682aa034c7cebc59c'
		. 'faea9ea9076ede7f4af152e8b2fa9cb6',
		'87aa7cdea5ef619d4ff0b4241a1d6cb02379f4e2ce4ec2787ad0b30545e17cde'
		. 'daa833b7d6b8a702038b274eaea3f4e4be9d914eeb61f1702e696c203a126854' ],
	[ unpack('H*', 'Jefe'), unpack('H*', 'what do ya want for nothing?'),
		'5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843',
		'af45d2e376484031617f78d2b58a6b1b9c7ef464f5a01b47e42ec3736322445e'
		. '8e2240ca5e69e2c78b3239ecfab21649',
		'164b7a7bfcf819e2e395fbe73b56e0a387bd64222e831fd610270cd7ea250554'
		. '9758bf75c05a994a6d034f65f8f0e6fdcaeab1a34d4a6b4b636e070a38bce737' ],
	[ 'aa' x 20, 'dd' x 50,
		'773ea91e36800e46854db8ebd09181a72959098b3ef8c122d9635514ced565fe',
		'88062608d3e6ad8a0aa2ace014c8a86f0aa635d947ac9febe83ef4e55966144b'
		. '2a5ab39dc13814b94e3ab6e101a34f27',
		'fa73b0089d56a284efb0f0756c890be9b1b5dbdd8ee81a3655f83e33b2279d39'
		. 'bf3e848279a722c806b485a47e67c807b946a337bee8942674278859e13292fb' ],
	[ join('', map { sprintf '%02x', $_ } 1 .. 25), 'cd' x 50,
		'82558a389a443c0ea4cc819899f2083a85f0faa3e578f8077a2e3ff46729665b',
		'3e8a69b7783c25851933ab6290af6ca77a9981480850009cc5577c6e1f573b4e'
		. '6801dd23c4a7d679ccf8a386c674cffb',
		'b0ba465637458c6990e5a8c5f61d4af7e576d97ff94b872de76f8050361ee3db'
		. 'a91ca5c11aa25eb4d679275cc5788063a5f19741120c4f2de2adebeb10a298dd' ],
	[ 'aa' x 131, unpack('H*',
		'Test Using Larger Than Block-Size Key - Hash Key First'),
		'60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54',
		'4ece084485813e9088d2c63a041bc5b44f9ef1012a2b588f3cd11f05033ac4c6'
		. '0c2ef6ab4030fe8296248df163f44952',
		'80b24263c7c1a3ebb71493c1dd7be8b49b46d1f41b4aeec1121b013783f8f352'
		. '6b56d037e05f2598bd0fd2215d6a1e5295e64f73f63f0aec8b915a985d786598' ],
	[ 'aa' x 131, unpack('H*', 'This is a test using a larger than '
		. 'block-size key and a larger than block-size data. The key '
		. 'needs to be hashed before being used by the HMAC algorithm.'),
		'9b09ffa71b942fcb27635fbcd5b0e944bfdc63644f0713938a7f51535c3a35e2',
		'6617178e941f020d351e2f254e8fd32c602420feb0b8fb9adccebb82461e99c5'
		. 'a678cc31e799176d3860e6110c46523e',
		'e37b6a775dc87dbaa4dfa9f96e5e3ffddebd71f8867289865df5a32d20cdc944'
		. 'b6022cac3c4982b10d5eeb55c3e4de15134676fb6de0446065c97440fa8c6a58' ],
);

# where they come from: what is written, what must match

my $odd = join '', map { chr } grep { $_ != 10 && $_ != 13 } 33 .. 255;

my @files = (
	[ 'plain', "the secret in a file\n", 'the secret in a file' ],
	[ 'without an end of line', 'the secret of one line',
		'the secret of one line' ],
	[ 'with CRLF', "a secret with CRLF\r\nanother one with CRLF\r\n",
		'a secret with CRLF', 'another one with CRLF' ],
	[ 'with comments', "# a comment\n\nthe secret after it\n"
		. "#the secret of a comment\n\n  \nthe secret behind\n\n",
		'the secret after it', 'the secret behind' ],
	[ 'with comments and CRLF', "# comment\r\n\r\nthe secret after CRLF\r\n",
		'the secret after CRLF' ],
	[ 'of eight lines', join('', map { "secret number $_ of eight\n" }
		1 .. 8), map { "secret number $_ of eight" } 1 .. 8 ],
	[ 'of bytes', "$odd\n", $odd ],
	[ 'with quotes', qq!"a secret 'in" quotes'\n!,
		qq!"a secret 'in" quotes'! ],
	[ 'with what nginx reads', q!a; secret { of $uri } \\n # text! . "\n",
		q!a; secret { of $uri } \\n # text! ],
	[ 'with a source in it', "env:TEST_SECRET_ENV\nfile:file.0\n",
		'env:TEST_SECRET_ENV', 'file:file.0' ],
	[ 'with a BOM', "\xef\xbb\xbfa secret with a BOM\n",
		"\xef\xbb\xbfa secret with a BOM" ],
	[ 'with NUL', "a secret\0with NUL\n", "a secret\0with NUL" ],
);

my ($schemes, $locations) = ('', '');
my (@cases);

sub location {
	my ($uri, $scheme, @lines) = @_;

	$locations .= "location = $uri {\n"
		. "webhook_verify $scheme;\n"
		. join('', map { "$_;\n" } @lines)
		. "proxy_pass http://127.0.0.1:8081;\n}\n";
}

foreach my $i (0 .. $#files) {
	my ($name, $content, @keys) = @{$files[$i]};

	$t->write_file("file.$i", $content);
	chmod 0600, $t->testdir() . "/file.$i";

	# relative to the folder of the configuration

	location("/file$i", 'sha256', 'webhook_secret file:'
		. ($i % 2 ? "%%TESTDIR%%/file.$i" : "file.$i"));

	push @cases, map { [ "file $name, line " . ($_ + 1), "/file$i",
		'sha256', $keys[$_], $_ + 1 ] } 0 .. $#keys;
}

$ENV{TEST_SECRET_ENV} = 'the secret of the environment';

my @literals = (
	[ 'literal', '"the literal secret"', 'the literal secret' ],
	[ 'literal in single quotes', "'the \"literal\" secret'",
		'the "literal" secret' ],
	[ 'literal with an escape', '"the \\"literal\\" one; {"',
		'the "literal" one; {' ],
	[ 'literal of bytes', "\"a secret \xc3\xa9\xff\"",
		"a secret \xc3\xa9\xff" ],
	[ 'environment', 'env:TEST_SECRET_ENV',
		'the secret of the environment' ],
	[ 'several sources', '"the first literal one" env:TEST_SECRET_ENV'
		. ' file:file.0', 'the first literal one',
		'the secret of the environment', 'the secret in a file' ],
	[ 'several lines', "file:file.2; webhook_secret file:file.0",
		'a secret with CRLF', 'another one with CRLF',
		'the secret in a file' ],
);

foreach my $i (0 .. $#literals) {
	my ($name, $text, @keys) = @{$literals[$i]};

	location("/literal$i", 'sha256', "webhook_secret $text");

	push @cases, map { [ "$name, " . ($_ + 1), "/literal$i", 'sha256',
		$keys[$_], $_ + 1 ] } 0 .. $#keys;
}

# how the text becomes a key

my $key = pack 'H*', '00ff0a0d80' . 'c3' x 30;
my $base64 = encode_base64($key, '');

my %decoded = (
	'whsec' => 'secret prefix=whsec_ encoding=base64',
	'hex' => 'secret encoding=hex',
	'base64' => 'secret encoding=base64',
	'raw' => 'secret encoding=raw',
	'lines' => "secret prefix=whsec_ encoding=base64;\n"
		. "secret prefix=hex: encoding=hex;\nsecret prefix=raw:",
);

foreach my $scheme (sort keys %decoded) {
	$schemes .= "webhook_scheme $scheme from=sha256 {\n"
		. "$decoded{$scheme};\n}\n";
}

my $i = 0;

foreach my $case (
	[ 'whsec', "whsec_$base64", $key ],
	[ 'whsec', 'no prefix, as it is', 'no prefix, as it is' ],
	[ 'hex', unpack('H*', $key), $key ],
	[ 'hex', uc unpack('H*', $key), $key ],
	[ 'base64', $base64, $key ],
	[ 'raw', "whsec_$base64", "whsec_$base64" ],
	[ 'lines', "whsec_$base64", $key ],
	[ 'lines', 'hex:' . unpack('H*', $key), $key ],
	[ 'lines', 'raw:a secret as it is', 'a secret as it is' ],
	[ 'lines', 'a secret without prefix', 'a secret without prefix' ])
{
	my ($scheme, $text, $bytes) = @$case;

	$t->write_file("decoded." . ++$i, "$text\n");
	chmod 0600, $t->testdir() . "/decoded.$i";
	location("/decoded$i", $scheme, "webhook_secret file:decoded.$i");

	push @cases, [ "$scheme: " . substr($text, 0, 10), "/decoded$i",
		'sha256', $bytes, 1, $text ne $bytes ? $text : () ];
}

# all lengths of a key with all algorithms

foreach my $n (@lengths) {
	my $bytes = join '', map { chr(1 + ($_ * 7 + $n) % 255) } 1 .. $n;

	$t->write_file("length.$n", unpack('H*', $bytes) . "\n");
	chmod 0600, $t->testdir() . "/length.$n";

	foreach my $algorithm (@algorithms) {
		location("/length$n-$algorithm", "hex-$algorithm",
			"webhook_secret file:length.$n");

		push @cases, [ "$algorithm, key of $n bytes",
			"/length$n-$algorithm", $algorithm, $bytes, 1 ];
	}
}

foreach my $n (0 .. $#rfc) {
	$t->write_file("rfc.$n", "$rfc[$n][0]\n");
	chmod 0600, $t->testdir() . "/rfc.$n";

	location("/rfc$n-$_", "plain-$_", "webhook_secret file:rfc.$n")
		foreach @algorithms[1 .. 3];
}

foreach my $algorithm (@algorithms) {
	my $hex = "algorithm hmac-$algorithm;\nsignature \$http_x_signature;\n";
	my $more = 'signed "$http_x_id.$request_body";' . "\n"
		. "event_id \$http_x_id;\n";

	$schemes = "webhook_scheme $algorithm {\n$hex$more}\n"
		. "webhook_scheme hex-$algorithm {\n$hex$more"
		. "secret encoding=hex;\n}\n"
		. "webhook_scheme plain-$algorithm {\n${hex}event_id body;\n"
		. "secret encoding=hex;\n}\n" . $schemes;
}

$t->write_file_expand('nginx.conf', <<"EOF");

%%TEST_GLOBALS%%

env TEST_SECRET_ENV;

events {
}

http {
    %%TEST_GLOBALS_HTTP%%

    webhook_dedup_zone  zone=events:1m;

    map \$uri \$by_path {
        ~^/tenant/(?<name>a|b)\$   "the secret of tenant \$name";
        /tenant/empty             "";
        /tenant/spaces            "  ";
    }

    map \$host \$by_host {
        a.example  "the secret of host a";
        b.example  "the secret of host b";
    }

    map \$host \$host_itself {
        default  \$host;
    }

    map \$uri \$encoded {
        /encoded/good    whsec_$base64;
        /encoded/bad     "whsec_not base64!";
        /encoded/none    whsec_;
        /encoded/padded  whsec_${base64}=;
        default          "";
    }

$schemes

    webhook_dedup  zone=events  key="\$host\$uri";

    add_header  X-Verdict  "\$webhook_status \$webhook_reason"  always;
    add_header  X-Secret   \$webhook_secret_index               always;

    server {
        listen       127.0.0.1:8080;
        server_name  localhost;

        $locations

        location /tenant/ {
            webhook_verify  sha256;
            webhook_secret  \$by_path;
            proxy_pass      http://127.0.0.1:8081;
        }

        location /both/ {
            webhook_verify  sha256;
            webhook_secret  \$by_host "the static secret of both";
            proxy_pass      http://127.0.0.1:8081;
        }

        location /part/ {
            webhook_verify  sha256;
            webhook_secret  "a secret for \$host_itself only";
            proxy_pass      http://127.0.0.1:8081;
        }

        location /encoded/ {
            webhook_verify  whsec;
            webhook_secret  \$encoded;
            proxy_pass      http://127.0.0.1:8081;
        }

        location /stripe {
            webhook_verify  stripe;
            webhook_secret  "whsec_is part of the key";
            proxy_pass      http://127.0.0.1:8081;
        }
    }
}

EOF

my $u = upstream(8081);

$t->clock($now)->run();

my $body = '{"id":"of no importance"}';
my $ids = 0;

###############################################################################

foreach my $case (@cases) {
	my ($name, $uri, $algorithm, $bytes, $index, $not) = @$case;

	passes($name, $uri, $algorithm, $bytes, $index, not => $not);
}

foreach my $case ([ 'the comment', '/file3', '#the secret of a comment' ],
	[ 'the comment without its mark', '/file3', 'the secret of a comment' ],
	[ 'a CR', '/file2', "a secret with CRLF\r" ],
	[ 'the end of the line', '/file0', "the secret in a file\n" ],
	[ 'nothing', '/file3', '' ],
	[ 'the source', '/file0', 'file:file.0' ],
	[ 'the name', '/literal4', 'env:TEST_SECRET_ENV' ],
	[ 'the value of a text', '/file9', 'the secret of the environment' ])
{
	my ($name, $uri, $bytes) = @$case;

	is(got(event($uri, 'sha256', $bytes)),
		'401 REJECTED signature_mismatch 0', "$name is no key");
}

# RFC 4231, through it all

foreach my $n (0 .. $#rfc) {
	my ($k, $data, @digests) = @{$rfc[$n]};

	foreach my $i (1 .. 3) {
		my %req = (uri => "/rfc$n-$algorithms[$i]",
			body => pack('H*', $data),
			headers => [ [ 'X-Signature', $digests[$i - 1] ] ]);

		(my $other = $digests[$i - 1]) =~ s/(.)$/$1 eq '0' ? 1 : 0/e;

		is(join('; ', got(%req, headers => [ [ 'X-Signature',
			$other ] ]), got(%req), got(%req)),
			'401 REJECTED signature_mismatch 0; 200 PASSED 1 1;'
			. ' 200 DUPLICATE already_delivered 0',
			'RFC 4231, case ' . ($n + 1 + ($n > 3))
			. ", $algorithms[$i]");
	}
}

# Stripe's secrets are keys as they are

foreach my $case ([ 'whsec_is part of the key', '200 PASSED missing_id 1 1' ],
	[ 'is part of the key', '401 REJECTED signature_mismatch 0' ])
{
	is(got(uri => '/stripe', body => '{}', headers => [
		sign_stripe($case->[0], '{}') ]), $case->[1],
		"stripe, key '$case->[0]'");
}

# one secret for each

passes('tenant a', '/tenant/a', 'sha256', 'the secret of tenant a', 1,
	not => 'the secret of tenant b');
passes('tenant b', '/tenant/b', 'sha256', 'the secret of tenant b', 1,
	not => 'the secret of tenant a');
passes('a part of the text', '/part/', 'sha256',
	'a secret for localhost only', 1, not => 'a secret for $host only');

foreach my $uri (qw! /tenant/c /tenant/empty /tenant/ /tenant/A !) {
	foreach my $bytes ('', '$by_path', 'the secret of tenant a') {
		is(got(event($uri, 'sha256', $bytes)),
			'401 REJECTED no_secret 0', "$uri, key '$bytes'");
	}
}

foreach my $host (qw/ a b /) {
	my $other = $host eq 'a' ? 'b' : 'a';

	passes("host $host", '/both/', 'sha256', "the secret of host $host", 1,
		host => "$host.example", not => "the secret of host $other");
	passes("host $host, the static one", '/both/', 'sha256',
		'the static secret of both', 2, host => "$host.example",
		not => '');
}

passes('no such host, the static one', '/both/', 'sha256',
	'the static secret of both', 2, not => '');
is(got(event('/both/', 'sha256', 'the secret of host a')),
	'401 REJECTED signature_mismatch 0', 'no such host, that of another');

# what does not decode is our fault

passes('encoded', '/encoded/good', 'sha256', $key, 1, not => $base64);

foreach my $name (qw/ bad none padded /) {
	foreach my $bytes ('', $key, 'not base64!') {
		my %req = event("/encoded/$name", 'sha256', $bytes);
		my $r = request(%req);

		like("$r->{status} " . $r->header('Retry-After'),
			qr/^503 \d+$/, "does not decode, $name");
		is($r->header('X-Verdict') . ' ' . $u->reset()->count(),
			'UNAVAILABLE internal_error 0',
			"does not decode, $name, verdict");
	}
}

like(join("\n", $t->lines(qr/does not decode/)),
	qr/secret from a variable does not decode, client: /,
	'does not decode, told');

is(got(event('/encoded/other', 'sha256', '')), '401 REJECTED no_secret 0',
	'nothing to decode');

###############################################################################

# once; with another key, or one byte of the digest or the body different, not
# at all

sub passes {
	my ($name, $uri, $algorithm, $bytes, $index, %opts) = @_;

	my %req = event($uri, $algorithm, $bytes, %opts);
	my @keys = ("$bytes ", substr($bytes, 0, -1),
		defined $opts{not} ? $opts{not} : 'x');

	my @got = map { got(event($uri, $algorithm, $_, %opts,
		id => $req{id})) } @keys;

	my %wrong = map { $_ => 1 } grep {
		$_ ne '401 REJECTED signature_mismatch 0' } @got,
		got(%req, body => "$body ");

	is(join('; ', sort(keys %wrong), got(%req), got(%req)),
		"200 PASSED 1 $index; 200 DUPLICATE already_delivered 0",
		$name);
}

sub event {
	my ($uri, $algorithm, $bytes, %opts) = @_;

	my $id = defined $opts{id} ? $opts{id} : 'event-' . ++$ids;

	return (id => $id, uri => $uri, body => $body,
		host => $opts{host} || 'localhost',
		headers => [ [ 'X-Id', $id ], [ 'X-Signature', unpack 'H*',
			hmac($algorithm, $bytes, "$id.$body") ] ]);
}

sub got {
	return judged($u, @_);
}

###############################################################################
