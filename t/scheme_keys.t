#!/usr/bin/perl

# (C) ngx_http_webhook_module contributors

# Tests for public keys: RSA and ECDSA by what NIST and RFCs have published and
# by what openssl signs; keys in PEM, in certificates, in JWK Sets, as text; which
# of them are tried; and what nginx -t says of those that are no good.

###############################################################################

use warnings;
use strict;

use Test::More;

BEGIN { use FindBin; chdir($FindBin::Bin); }

use lib 'lib';
use Test::Nginx;
use Test::Nginx::Webhook;

use JSON::PP qw//;
use MIME::Base64 qw/ decode_base64 encode_base64 encode_base64url /;

###############################################################################

select STDERR; $| = 1;
select STDOUT; $| = 1;

my $t = Test::Nginx->new()->has(qw/http proxy/);
my $d = $t->testdir();

# keys of the test

my %how = (
	rsa => [ 'RSA', 'rsa_keygen_bits:2048' ],
	rsa2 => [ 'RSA', 'rsa_keygen_bits:2048' ],
	rsa3072 => [ 'RSA', 'rsa_keygen_bits:3072' ],
	rsa1024 => [ 'RSA', 'rsa_keygen_bits:1024' ],
	(map { $_ => [ 'EC', "ec_paramgen_curve:$_" ] }
		qw/ P-256 P-384 P-521 secp256k1 /),
	other => [ 'EC', 'ec_paramgen_curve:P-256' ],
	ed => [ 'ED25519' ],
);

my %public;

foreach my $name (keys %how) {
	my ($alg, @opts) = @{$how{$name}};

	openssl('genpkey', '-algorithm', $alg, (map { ('-pkeyopt', $_) } @opts),
		'-out', "$d/$name.key");
	openssl('pkey', '-in', "$d/$name.key", '-pubout', '-out', "$d/$name.pem");
	$public{$name} = read_file("$name.pem");
}

openssl('req', '-x509', '-new', '-key', "$d/rsa.key", '-subj', '/CN=a',
	'-days', 2, '-set_serial', '0x0a1B2c3d', '-out', "$d/cert.pem");
openssl('req', '-x509', '-new', '-key', "$d/rsa2.key", '-subj', '/CN=b',
	'-days', 2, '-set_serial', '0x77', '-out', "$d/cert2.pem");

# RFC 7515, A.2 and A.3

my $rfc_text = '.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGF'
	. 'tcGxlLmNvbS9pc19yb290Ijp0cnVlfQ';

my %rs256 = (
	kty => 'RSA', e => 'AQAB', n => join('', qw/
		ofgWCuLjybRlzo0tZWJjNiuSfb4p4fAkd_wWJcyQoTbji9k0l8W26mPddx
		HmfHQp-Vaw-4qPCJrcS2mJPMEzP1Pt0Bm4d4QlL-yRT-SFd2lZS-pCgNMs
		D1W_YpRPEwOWvG6b32690r2jZ47soMZo9wGzjb_7OMg0LOL-bSf63kpaSH
		SXndS5z5rexMdbBYUsLA9e-KXBdQOS-UTo7WTBEMa2R2CapHg665xsmtdV
		MTBQY4uDZlxvb3qCo5ZwKh9kG4LT6_I5IhlJH7aGhyxXFvUK-DWNmoudF8
		NAco9_h9iaGNj8q2ethFkMLs91kzk2PAcDTW9gb54h4FRWyuXpoQ /),
);

my $rs256 = join '', qw/
	cC4hiUPoj9Eetdgtv3hF80EGrhuB__dzERat0XF9g2VtQgr9PJbu3XOiZj5RZmh7
	AAuHIm4Bh-0Qc_lF5YKt_O8W2Fp5jujGbds9uJdbF9CUAr7t1dnZcAcQjbKBYNX4
	BAynRFdiuB--f_nZLgrnbyTyWzO75vRK5h6xBArLIARNPvkSjtQBMHlb1L07Qe7K
	0GarZRmB_eSN9383LcOLn6_dO--xi12jzDwusC-eOkHWEsqtFZESc6BfI7noOPqv
	hJ1phCnvWh6IeYI2w9QOYEUipUTI8np6LbgGY9Fs98rqVt5AXLIhWkWywlVmtVrB
	p0igcN_IoypGlUPQGe77Rw /;

my %es256 = (
	kty => 'EC', crv => 'P-256',
	x => 'f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU',
	y => 'x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0',
);

my $es256 = 'DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSA'
	. 'pmWQxfKTUJqPP3-Kg6NU1Q';

# NIST, FIPS 186-3, SigGen15, 2048 bits

my %nist = (
	kty => 'RSA', e => hex64('260445'), n => hex64(join '', qw/
		cea80475324c1dc8347827818da58bac069d3419c614a6ea1ac6a3b510dcd72c
		c516954905e9fef908d45e13006adf27d467a7d83c111d1a5df15ef293771aef
		b920032a5bb989f8e4f5e1b05093d3f130f984c07a772a3683f4dc6fb28a9681
		5b32123ccdd13954f19d5b8b24a103e771a34c328755c65ed64e1924ffd04d30
		b2142cc262f6e0048fef6dbc652f21479ea1c4b1d66d28f4d46ef7185e390cbf
		a2e02380582f3188bb94ebbf05d31487a09aff01fcbb4cd4bfd1f0a833b38c11
		813c84360bb53c7d4481031c40bad8713bb6b835cb08098ed15ba31ee4ba728a
		8c8e10f7294e1b4163b7aee57277bfd881a6f9d43e02c6925aa3a043fb7fb78d /),
);

my %nist_signed = (

	'rsa-sha256' => [ join('', qw/
		0c8491fc348d341fe85c46a56115f26035c59e6a2be765c44e2ec83d407ea096
		d13b57e3d0c758342246c47510a56793e5daeae1b96d4ab988378966876aa341
		b7d1c31bba59b7dbe6d1a16898eef0caca928f8ce84d5c64e025dc1679922d95
		e5cd3c6b994a385c5c8346469ef8764c0c74f5336191850c7f7e2b14be0027d8 /),
		join('', qw/
		cacc8d9f5ecd34c143488461135c4951676145c6e472b92f12f758046f172142
		fa388f285f3fff068242028829047e248059ed4fd39d2c5ade469dc7c39345e5
		114950d2031cc7465fe712c4041d05c756d3f2d88a46ceb99f2e24a52e958a03
		cd2519a9b137e62d5ca2b353f7b047b625c3602313fdb53c8db23d83951a599d
		b328fedc4ae06da89ce7f56259b5c8222f7bd3d9740478fd28e5810db78aee86
		23fdd39f603f8ddf98081d7873980c4eb0e22a9cd408f7c4134c12d2049a2d12
		0f4b62e6b382b997fc375ef7ac955fcf80b045c3d6385ff422dad350c6887053
		9068a162a2edbb93ceefed9677939b90bd3dfa0dc053460b4e2332efa692179a /) ],

	'rsa-sha512' => [ join('', qw/
		a7c309d44a57188bbd7b726b98b98ce12582228e1415864870a23961d2afb82c
		d5bc98bec922d5f2ac4168b056da176ef3ba91f6b699ba6acc4144868ff37f26
		fd06720868d12ad26ecb52572cf10416af68df03ab645a8b704857d2190ffc3f
		07eabe3a8e2abe34ed6159e884c4fae141d4333d5c3e0db044ff9cccd9cbd67f /),
		join('', qw/
		148af61ed5ea8a87a08b3f403929bf8031db4fd3999b64409ba489f97a3ee520
		8ea4202d2ec18734f615003a51f77441085be6ac0f11810ffa2dad58f0e186d5
		520ac2b8a5d3966e8d2abb8074e13b50a4e7de83be10a66fdc7ca18118c5774f
		781212de9efebc6376fcdddc65a3b1b8f1ab31492fe478259ce719b3db587498
		d879a01dec96e8eabeb07ff7073f3f3eb446084955ca26329a791315a2c259d2
		25e26b2154b2047b21faba68115bfd962e5e24ec52d7c5d231e3044cbcd8c880
		4855703cbaa622b15b6ef78c7421a367166f1b02576c87360593da75b7189efa
		fd1082bd59f6857f1701f646c24d70c95273c49d5b11e6afe258821b55c1680c /) ],
);

# RFC 6979, A.2.5 to A.2.7, of "sample"

my %rfc6979 = (

	'P-256' => [ qw/
		60fed4ba255a9d31c961eb74c6356d68c049b8923b61fa6ce669622e60f29fb6
		7903fe1008b8bc99a41ae9e95628bc64f2f1b20c2d7e9f5177a3c294d4462299 /,
		sha1 => join('', qw/
		61340c88c3aaebeb4f6d667f672ca9759a6ccaa9fa8811313039ee4a35471d32
		6d7f147dac089441bb2e2fe8f7a3fa264b9c475098fdcf6e00d7c996e1b8b7eb /),
		sha256 => join('', qw/
		efd48b2aacb6a8fd1140dd9cd45e81d69d2c877b56aaf991c34d0ea84eaf3716
		f7cb1c942d657c41d436c7a1b6e29f65f3e900dbb9aff4064dc4ab2f843acda8 /) ],

	'P-384' => [
		'ec3a4e415b4e19a4568618029f427fa5da9a8bc4ae92e02e'
			. '06aae5286b300c64def8f0ea9055866064a254515480bc13',
		'8015d9b72d7d57244ea8ef9ac0c621896708a59367f9dfb9'
			. 'f54ca84b3f1c9db1288b231c3ae0d4fe7344fd2533264720',
		sha1 => join('', qw/
		ec748d839243d6fbef4fc5c4859a7dffd7f3abddf72014540c16d73309834fa3
		7b9ba002899f6fda3a4a9386790d4eb2a3bcfa947beef4732bf247ac17f71676
		cb31a847b9ff0cbc9c9ed4c1a5b3facf26f49ca031d4857570ccb5ca4424a443 /),
		sha256 => join('', qw/
		21b13d1e013c7fa1392d03c5f99af8b30c570c6f98d4ea8e354b63a21d3daa33
		bde1e888e63355d92fa2b3c36d8fb2cdf3aa443fb107745bf4bd77cb38916746
		32068a10ca67e3d45db2266fa7d1feebefdc63eccd1ac42ec0cb8668a4fa0ab0 /) ],

	'P-521' => [
		'01894550d0785932e00eaa23b694f213f8c3121f86dc97a04e5a7167db4e5bcd3'
			. '71123d46e45db6b5d5370a7f20fb633155d38ffa16d2bd761dcac474b9a2'
			. 'f5023a4',
		'00493101c962cd4d2fddf782285e64584139c2f91b47f87ff82354d6630f746a2'
			. '8a0db25741b5b34a828008b22acc23f924faafbd4d33f81ea66956dfeaa2'
			. 'bfdfcf5',
		sha1 => join('', qw/
		00343b6ec45728975ea5cba6659bbb6062a5ff89eea58be3c80b619f322c8791
		0fe092f7d45bb0f8eee01ed3f20babec079d202ae677b243ab40b5431d497c55
		d75d00e7b0e675a9b24413d448b8cc119d2bf7b2d2df032741c096634d6d65d0
		dbe3d5694625fb9e8104d3b842c1b0e2d0b98bea19341e8676aef66ae4eba3d5
		475d5d16 /),
		sha256 => join('', qw/
		01511bb4d675114fe266fc4372b87682baecc01d3cc62cf2303c92b352601265
		9d16876e25c7c1e57648f23b73564d67f61c6f14d527d54972810421e7d87589
		e1a7004a171143a83163d6df460aaf61522695f207a58b95c0644d87e52aa1a3
		47916e4f7a72930b1bc06dbe22ce3f58264afd23704cbb63b29b931f7de6c9d9
		49a7ecfc /) ],
);

# files of keys

jwks('rs256', { %rs256, use => 'sig', alg => 'RS256' });
jwks('es256', \%es256);
jwks('nist', \%nist);
jwks('nist512', { %nist, alg => 'RS256', kid => 'not this' },
	{ %nist, alg => 'RS512' });
jwks("rfc6979-$_", { kty => 'EC', crv => $_, x => hex64($rfc6979{$_}[0]),
	y => hex64($rfc6979{$_}[1]) }) foreach keys %rfc6979;

my %rsa = (kty => 'RSA', e => 'AQAB', n => modulus('rsa'));
my %rsa2 = (kty => 'RSA', e => 'AQAB', n => modulus('rsa2'));
my $octets = 'the bytes of a key';

jwks('set', { %rs256, kid => 'first' }, { %rsa, kid => 'second' },
	{ %rsa2, kid => 'third' }, { %es256, kid => 'curve' },
	{ kty => 'oct', k => encode_base64url($octets), kid => 'bytes' },
	{ kty => 'oct', k => encode_base64url("other $octets"), kid => 'more' },
	{ kty => 'OKP', crv => 'Ed25519', x => encode_base64url(substr der('ed'),
		-32), kid => 'ed' },
	{ kty => 'OKP', crv => 'X25519', x => encode_base64url('x' x 32) },
	{ kty => 'EC', crv => 'secp256k1', x => 'AA', y => 'AA' },
	{ kty => 'new', kid => 'second' });
jwks('skipped', { %rsa, use => 'enc' }, { %rsa, alg => 'PS256' },
	(map { { %rsa, use => $_ }, { %rsa, alg => $_ } } '', 7, undef, [ 'sig' ]),
	{ %rsa2, use => 'sig', alg => 'RS256' });

# names of the same algorithm, the older one that of Ed448 as well

jwks("ed-$_", { kty => 'OKP', crv => 'Ed25519', alg => $_,
	x => encode_base64url(substr der('ed'), -32) })
	foreach qw/ EdDSA Ed25519 Ed448 /;

$t->write_file('text', encode_base64(der('rsa'), '') . "\n"
	. encode_base64(der('rsa2'), '') . "\n");
$t->write_file('ids.pem', "# a comment\n# id: one\n$public{rsa}\n"
	. "# id: nobody\n\n$public{rsa3072}# id:  two \r\n$public{rsa2}"
	. "-----BEGIN PARAMETERS-----\nAAAA\n-----END PARAMETERS-----\n");
$t->write_file('certs.pem', join '', map { read_file($_) }
	'cert.pem', 'cert2.pem');
$t->write_file('both.pem', $public{rsa2} . $public{rsa} . $public{'P-256'});
chmod 0644, glob("$d/*.pem $d/*.jwks");
chmod 0600, "$d/text";

# schemes, and locations: scheme, source

my @algorithms = qw/ rsa-sha1 rsa-sha256 rsa-sha512 rsa-pss-sha256
	rsa-pss-sha512 ecdsa-sha1 ecdsa-sha256 /;

my %schemes = (
	(map { $_ => "algorithm $_; signature \$http_x_sig separator=,"
		. ' encoding=base64; signed $http_x_id:$request_body; event_id'
		. ' $http_x_id;' } @algorithms),
	(map { ("url-$_" => "algorithm $_; signature \$http_x_sig"
		. ' encoding=base64url;') } qw/ rsa-sha256 rsa-sha512 /),
	(map { ("raw-$_" => "algorithm ecdsa-$_; signature \$http_x_sig"
		. ' encoding=base64url form=raw;') } qw/ sha1 sha256 /),
	'after' => 'algorithm rsa-sha256; signature $http_x_sig encoding=base64;'
		. ' timestamp $http_x_ts; signed $request_body$http_x_ts;'
		. ' tolerance 3650d;',
	'grouped' => 'algorithm rsa-sha256; signature $http_x_sig group=;'
		. ' separator=, prefix=s= encoding=base64;'
		. ' timestamp $http_x_sig group=; separator=, prefix=t=;'
		. ' tolerance 3650d; signed $webhook_timestamp.$request_body;',
	'id' => 'algorithm rsa-sha256; signature $http_x_sig encoding=base64;'
		. ' key_id $http_x_key;',
	'id-cut' => 'algorithm rsa-sha256; signature $http_x_sig encoding=base64;'
		. ' key_id $http_x_other $http_x_key separator=, prefix=kid=;',
	'id-hmac' => 'signature $http_x_sig; key_id $http_x_key;',
	'hmac' => 'signature $http_x_sig;',
	'ed' => 'algorithm ed25519; signature $http_x_sig encoding=base64;',
);

$schemes{grouped} =~ s/group=;/"group=;"/g;

my %locations = (
	(map { ("/$_" => [ $_, /^ecdsa/ ? 'pem:P-256.pem' : 'pem:rsa.pem' ]) }
		@algorithms),
	(map { ("/$_" => [ 'ecdsa-sha256', "pem:$_.pem" ]) } qw/ P-384 P-521 /),
	'/rsa3072' => [ 'rsa-sha256', 'pem:rsa3072.pem' ],
	'/jws' => [ 'url-rsa-sha256', 'jwks:rs256.jwks' ],
	'/es256' => [ 'raw-sha256', 'jwks:es256.jwks' ],
	'/nist256' => [ 'url-rsa-sha256', 'jwks:nist.jwks' ],
	'/nist512' => [ 'url-rsa-sha512', 'jwks:nist512.jwks' ],
	(map { my $h = $_; map { ("/$h-$_" => [ "raw-$h",
		"jwks:rfc6979-$_.jwks" ]) } keys %rfc6979 } qw/ sha1 sha256 /),
	'/text' => [ 'rsa-sha256', 'file:text' ],
	'/variable' => [ 'rsa-sha256', '$key' ],
	'/both' => [ 'rsa-sha256', 'pem:both.pem' ],
	'/mixed' => [ 'rsa-sha256', 'file:text', 'pem:rsa3072.pem' ],
	'/certs' => [ 'id', 'pem:certs.pem' ],
	'/ids' => [ 'id', 'pem:ids.pem' ],
	'/set' => [ 'id', 'jwks:set.jwks' ],
	'/cut' => [ 'id-cut', 'jwks:set.jwks' ],
	'/octets' => [ 'hmac', 'jwks:set.jwks' ],
	'/octets-id' => [ 'id-hmac', 'jwks:set.jwks' ],
	'/ed-set' => [ 'ed', 'jwks:set.jwks' ],
	'/ed-old-name' => [ 'ed', 'jwks:ed-EdDSA.jwks' ],
	'/ed-new-name' => [ 'ed', 'jwks:ed-Ed25519.jwks' ],
	'/ed-pem' => [ 'ed', 'pem:ed.pem' ],
	'/skipped' => [ 'rsa-sha256', 'jwks:skipped.jwks' ],
	'/after' => [ 'after', 'pem:rsa.pem' ],
	'/grouped' => [ 'grouped', 'pem:both.pem' ],
);

my $blocks = join '', map { "webhook_scheme $_ { $schemes{$_} }\n" }
	sort keys %schemes;

my $places = join '', map {
	my ($scheme, @sources) = @{$locations{$_}};

	"location = $_ { webhook_verify $scheme; webhook_secret @sources;"
		. " proxy_pass http://127.0.0.1:8081; }\n"
} sort keys %locations;

my $spki = encode_base64(der('rsa'), '');

$t->write_file_expand('nginx.conf', <<"EOF");

%%TEST_GLOBALS%%

events {
}

http {
    %%TEST_GLOBALS_HTTP%%

    map \$http_x_tenant \$key {
        rsa   "$spki";
        weak  "@{[ encode_base64(der('rsa1024'), '') ]}";
        none  "AAAA";
    }

    add_header  X-Verdict  \$webhook_reason  always;
    add_header  X-Secret   \$webhook_secret_index  always;

    client_max_body_size  8m;

    $blocks

    server {
        listen       127.0.0.1:8080;
        server_name  localhost;

        $places
    }
}

EOF

my $u = upstream(8081);

$t->plan(154)->run();

###############################################################################

# what has been published

is(sent('/jws', 'eyJhbGciOiJSUzI1NiJ9' . $rfc_text, $rs256), '200 1',
	'RFC 7515, A.2');
is(sent('/es256', 'eyJhbGciOiJFUzI1NiJ9' . $rfc_text, $es256), '200 1',
	'RFC 7515, A.3');
is(sent('/jws', 'eyJhbGciOiJSUzI1NiK9' . $rfc_text, $rs256),
	'401 signature_mismatch', 'RFC 7515, A.2, another text');
is(sent('/es256', 'eyJhbGciOiJFUzI1NiK9' . $rfc_text, $es256),
	'401 signature_mismatch', 'RFC 7515, A.3, another text');

foreach my $name (sort keys %nist_signed) {
	my ($body, $sig) = map { pack 'H*', $_ } @{$nist_signed{$name}};
	my $uri = $name =~ /256/ ? '/nist256' : '/nist512';

	like(sent($uri, $body, encode_base64url($sig)), qr/^200 /,
		"NIST, $name");
	is(sent($uri, flip($body), encode_base64url($sig)),
		'401 signature_mismatch', "NIST, $name, another text");
}

foreach my $curve (sort keys %rfc6979) {
	my (undef, undef, %sig) = @{$rfc6979{$curve}};

	foreach my $hash (sort keys %sig) {
		my $sig = pack 'H*', $sig{$hash};

		is(sent("/$hash-$curve", 'sample', encode_base64url($sig)), '200 1',
			"RFC 6979, $curve, $hash");
		is(join(' ', map { sent("/$hash-$curve", 'sample',
			encode_base64url(flip($sig, $_))) } 0, length($sig) / 2, -1),
			join(' ', ('401 signature_mismatch') x 3),
			"RFC 6979, $curve, $hash - another signature");
	}
}

# what openssl signs

my %signer = ((map { $_ => 'rsa' } @algorithms), 'ecdsa-sha1' => 'P-256',
	'ecdsa-sha256' => 'P-256');

foreach my $name (@algorithms) {
	my $body = "{\"of\":\"$name\"}";
	my $sig = signature($name, $signer{$name}, "1:$body");

	is(by_id("/$name", $body, $sig), '200 1', "$name");
	is(by_id("/$name", $body, $sig, pieces => 'bytes', chunked => [ 1, 3 ]),
		'200 1', "$name - byte by byte");
	is(by_id("/$name", flip($body), $sig), '401 signature_mismatch',
		"$name - another body");
	is(by_id("/$name", $body, $sig, id => 2), '401 signature_mismatch',
		"$name - another field");

	# the first bytes of a signature in DER are its form

	my @wrong = (map { flip($sig, $_) } 0, 1, 2, 3, 8, length($sig) / 2, -1);
	my @form = ("$sig\0", substr($sig, 0, -1), substr($sig, 1), 'a', "\0$sig",
		"\0" x length($sig), "\xff" x length($sig));

	is(join(' ', map { by_id("/$name", $body, $_) } @wrong, @form),
		join(' ', ('401 signature_mismatch') x (@wrong + @form)),
		"$name - another signature");
	is(by_id("/$name", $body, signature($name,
		$name =~ /^ecdsa/ ? 'other' : 'rsa2', "1:$body")),
		'401 signature_mismatch', "$name - another key");
	is(by_id("/$name", $body, 'x' x 1025), '401 malformed_signature',
		"$name - too long");
}

is(by_id("/$_", '{}', signature('ecdsa-sha256', $_, '1:{}')), '200 1',
	"ecdsa-sha256, $_") foreach qw/ P-384 P-521 /;
is(by_id('/rsa3072', '{}', signature('rsa-sha256', 'rsa3072', '1:{}')), '200 1',
	'rsa-sha256, 3072 bits');

is(by_id('/rsa-sha256', '{}', signature('rsa-sha512', 'rsa', '1:{}')),
	'401 signature_mismatch', 'another digest');
is(by_id('/rsa-sha256', '{}', signature('rsa-pss-sha256', 'rsa', '1:{}')),
	'401 signature_mismatch', 'another padding');
is(join(' ', map { by_id('/rsa-pss-sha256', '{}',
	signature('rsa-pss-sha256', 'rsa', '1:{}', salt => $_)) } 0, 20, 31, 33),
	join(' ', ('401 signature_mismatch') x 4), 'PSS - another salt');

like($t->wait_log(qr/malformed_signature/),
	qr/, 1368 characters where at most \d+ of base64 are wanted/,
	'too long - in the log');

# a body of more than a megabyte, in memory and in a file

my $large = pattern(3 * 1024 * 1024);
is(by_id('/rsa-sha256', $large, signature('rsa-sha256', 'rsa', "1:$large")),
	'200 1', 'large body');
is(by_id('/rsa-sha256', flip($large), signature('rsa-sha256', 'rsa',
	"1:$large")), '401 signature_mismatch', 'large body - another one');

# several signatures, and groups of them

my $good = encode_base64(signature('rsa-sha256', 'rsa', '1:{}'), '');
my $bad = encode_base64(signature('rsa-sha256', 'rsa2', '1:{}'), '');

is(join(' ', map { sent('/rsa-sha256', '{}', $_, 1) } "$bad,$good", "AAAA,$good",
	"$bad,$bad,$bad,$good", "$bad,$bad,$bad,$bad", "$bad,$bad,$bad,$bad,$good"),
	'200 1 200 1 200 1 401 signature_mismatch 401 too_many_signatures',
	'several signatures');

my ($ts, $next) = (time(), time() + 1);
my ($one, $two) = map { encode_base64(signature('rsa-sha256', 'rsa', "$_.{}"), '') }
	$ts, $next;

is(join(' ', map { sent('/grouped', '{}', $_) } "t=$ts,s=$one",
	"t=$ts,s=$two;t=$next,s=$two", "t=$ts,s=$two", "t=$ts,s=$two;t=$next,s=$one"),
	'200 2 200 2 401 signature_mismatch 401 signature_mismatch', 'groups');

is(join(' ', map { judged($u, uri => '/after', body => '{}', headers => [
	[ 'X-Ts', $ts ], [ 'X-Sig', encode_base64(signature('rsa-sha256', 'rsa',
		"{}$_"), '') ] ]) =~ s/ (?=1)//r } $ts, $next),
	'200 1 1 401 signature_mismatch 0', 'text behind the body');

###############################################################################

# where keys come from

is(by_id('/text', '{}', decode_base64($good)), '200 1', 'text');
is(by_id('/text', '{}', decode_base64($bad)), '200 2', 'text - second line');
is(by_id('/both', '{}', decode_base64($good)), '200 2', 'PEM - second block');
is(by_id('/mixed', '{}', signature('rsa-sha256', 'rsa3072', '1:{}')), '200 3',
	'text and PEM');
is(by_id('/skipped', '{}', decode_base64($good)), '401 signature_mismatch',
	'JWK - other uses and algorithms');
is(by_id('/skipped', '{}', decode_base64($bad)), '200 2', 'JWK - the one left');

is(sent('/variable', '{}', $good, 1, [ 'X-Tenant', 'rsa' ]), '200 1',
	'variable');
is(sent('/variable', '{}', $bad, 1, [ 'X-Tenant', 'rsa' ]),
	'401 signature_mismatch', 'variable - another key');
is(join(' ', map { sent('/variable', '{}', $good, 1, [ 'X-Tenant', $_ ]) }
	qw/ nobody weak none /), '401 no_secret 503 internal_error'
	. ' 503 internal_error', 'variable - no key');

# those that the request names

my $first = encode_base64(signature('rsa-sha256', 'rsa', '{}'), '');
my $second = encode_base64(signature('rsa-sha256', 'rsa2', '{}'), '');

sub named {
	my ($uri, $sig, @ids) = @_;
	return join ' ', map { sent($uri, '{}', $sig, undef,
		defined $_ ? [ 'X-Key', $_ ] : ()) } @ids;
}

is(named('/ids', $first, qw/ one two nobody /, '', 'One', undef),
	'200 1 401 signature_mismatch 401 unknown_key 401 missing_field'
	. ' 401 unknown_key 401 missing_field', 'PEM - by id');
is(named('/ids', $second, qw/ two one /), '200 3 401 signature_mismatch',
	'PEM - by another id');
is(named('/certs', $first, qw/ 0A1B2C3D a1b2c3d 000a1b2c3d 77 1 /),
	'200 1 200 1 200 1 401 signature_mismatch 401 unknown_key',
	'certificates - by serial number');
is(named('/certs', $second, '77'), '200 2', 'certificates - the second');
is(named('/set', $first, qw/ second third curve nosuch /),
	'200 2 401 signature_mismatch 401 unknown_key 401 unknown_key',
	'JWK Set - by id');
is(named('/set', $first, [ 'second', 'second' ], "sec\xc3\xa9", 'x' x 1000),
	'401 malformed_field 401 unknown_key 401 unknown_key',
	'JWK Set - wrong ids');
is(named('/cut', $first, 'v=1,kid=second', 'kid=second,kid=second', 'v=1'),
	'200 2 401 malformed_field 401 missing_field', 'JWK Set - an item');

is(sent('/octets', '{}', unpack 'H*', hmac('sha256', $octets, '{}')), '200 5',
	'JWK Set - oct');
is(join(' ', map { named('/octets-id', unpack('H*', hmac('sha256', $octets,
	'{}')), $_) } qw/ bytes more second /),
	'200 5 401 signature_mismatch 401 unknown_key', 'JWK Set - oct by id');

my $ed = encode_base64(openssl('pkeyutl', '-sign', '-rawin', '-inkey',
	"$d/ed.key", '-in', file('{}')), '');
is(join(' ', map { sent($_, '{}', $ed) } qw! /ed-set /ed-pem !), '200 7 200 1',
	'Ed25519');
is(join(' ', map { sent($_, '{}', $ed) } qw! /ed-old-name /ed-new-name !),
	'200 1 200 1', 'Ed25519 - both names of the algorithm');
is(join(' ', map { sent($_, '{ }', $ed) } qw! /ed-set /ed-pem !),
	'401 signature_mismatch 401 signature_mismatch', 'Ed25519 - another body');

# a key that is not known is refused before the body is there

my $client = request(uri => '/set', headers => [ [ 'X-Key', 'nosuch' ],
	[ 'X-Sig', $first ] ], length => 100, send_only => 1);
is($client->response()->{status}, 401, 'unknown key - before the body');
$client->close();

###############################################################################

# what the configuration says

$t->write_file('none.pem', "nothing\n");
$t->write_file('broken.pem', "-----BEGIN PUBLIC KEY-----\n!!!\n"
	. "-----END PUBLIC KEY-----\n");
$t->write_file('cut.pem', substr $public{rsa}, 0, 200);
$t->write_file('notkey.pem', "-----BEGIN PUBLIC KEY-----\nAAAA\n"
	. "-----END PUBLIC KEY-----\n");
$t->write_file('notcert.pem', "-----BEGIN CERTIFICATE-----\nAAAA\n"
	. "-----END CERTIFICATE-----\n");
$t->write_file('private.pem', read_file('rsa.key'));
$t->write_file('many.pem', $public{rsa} x 17);
$t->write_file('weak.txt', encode_base64(der('rsa1024'), ''));
$t->write_file('other.txt', encode_base64(der('P-256'), ''));
$t->write_file('nojson.jwks', '{"keys":[');
$t->write_file('list.jwks', '[]');
$t->write_file('empty.jwks', '{"keys":[]}');
$t->write_file('nul.jwks', "{\"keys\":[]}\0");
jwks('notype', { n => 'AQAB' });
jwks('nonumber', { kty => 'RSA', e => 'AQAB' });
jwks('notbase64', { kty => 'RSA', e => 'AQAB', n => '!!!' });
jwks('short', { %es256, x => 'AQAB' });
jwks('offcurve', { %es256, x => encode_base64url('x' x 32) });
jwks('encryption', { %rsa, use => 'enc' });
jwks('weak', { kty => 'RSA', e => 'AQAB', n => modulus('rsa1024') });
chmod 0600, map { "$d/$_" } qw/ weak.txt other.txt /;
chmod 0644, glob("$d/*.pem $d/*.jwks");

foreach my $case (
	[ 'rsa-sha256', 'pem:rsa1024.pem', qr/key of the key file .* refused: RSA/ ],
	[ 'rsa-sha256', 'jwks:weak.jwks', qr/key of the key file .* refused: RSA/ ],
	[ 'rsa-sha256', 'file:weak.txt', qr/secret 1 of .* is refused: RSA/ ],
	[ 'ecdsa-sha256', 'pem:secp256k1.pem', qr/is refused: .* curves P-256/ ],
	[ 'rsa-sha256', 'file:other.txt', qr/wanted is a public key in base/ ],
	[ 'rsa-sha256', 'pem:P-256.pem', qr/holds no key for the algorithm "rsa/ ],
	[ 'hmac', 'pem:rsa.pem', qr/holds no key for the algorithm "hmac-sha256"/ ],
	[ 'hmac', 'jwks:nist.jwks', qr/holds no key for the algorithm "hmac-sha2/ ],
	[ 'ed', 'jwks:ed-Ed448.jwks', qr/holds no key for the algorithm "ed25519"/ ],
	[ 'gitlab-token', 'jwks:set.jwks', qr/holds no key for .* "token"/ ],
	[ 'rsa-sha256', 'pem:notkey.pem', qr/holds no key for the algorithm/ ],
	[ 'ecdsa-sha256', 'jwks:offcurve.jwks', qr/holds no key for the algor/ ],
	[ 'rsa-sha256', 'pem:rsa.pem pem:P-256.pem', qr/P-256.pem" holds no key/ ],
	[ 'rsa-sha256', 'pem:none.pem', qr/key file ".*" holds no key in/ ],
	[ 'rsa-sha256', 'pem:private.pem', qr/key file ".*" holds no key in/ ],
	[ 'rsa-sha256', 'pem:broken.pem', qr/has a block that cannot be read/ ],
	[ 'rsa-sha256', 'pem:cut.pem', qr/has a block that cannot be read/ ],
	[ 'rsa-sha256', 'pem:notcert.pem', qr/a certificate that cannot be read/ ],
	[ 'rsa-sha256', 'pem:many.pem', qr/more than 16 keys/ ],
	[ 'rsa-sha256', 'pem:nosuch.pem', qr/nosuch.pem" failed/ ],
	[ 'rsa-sha256', 'pem:$arg_a', qr/variables cannot be used/ ],
	[ 'rsa-sha256', 'jwks:', qr/names nothing/ ],
	[ 'rsa-sha256', 'jwks:nojson.jwks', qr/is no JWK Set/ ],
	[ 'rsa-sha256', 'jwks:list.jwks', qr/is no JWK Set/ ],
	[ 'rsa-sha256', 'jwks:nul.jwks', qr/is no JWK Set/ ],
	[ 'rsa-sha256', 'jwks:encryption.jwks', qr/holds no key in/ ],
	(map { [ 'rsa-sha256', "jwks:$_.jwks", qr/key 1 of the key file .* read/ ] }
		qw/ notype nonumber notbase64 short /),
	)
{
	my ($scheme, $source, $message) = @$case;

	my ($rc, $out) = $t->conf_test("$blocks server { location / {"
		. " webhook_verify $scheme; webhook_secret $source; } }",
		in => 'http');

	ok($rc && $out =~ $message, "conf - $scheme, $source") or diag($out);
}

# warnings, and lines of a scheme

$t->write_file('expired.pem', <<'EOF');
-----BEGIN CERTIFICATE-----
MIIBbTCCAROgAwIBAgIUOpm+9w5e6vBNJYB72dhB3FkaNFcwCgYIKoZIzj0EAwIw
DDEKMAgGA1UEAwwBYTAeFw0yMDAxMDEwMDAwMDBaFw0yMDAxMDIwMDAwMDBaMAwx
CjAIBgNVBAMMAWEwWTATBgcqhkjOPQIBBggqhkjOPQMBBwNCAAT4ONtd7yvbNwB4
weCm2lATNBLwT0MxKEO8cXEVUY97dKlkK4gxdNxYqiOWmTxOoYfW1txF9uRkAagA
PLbmk49/o1MwUTAdBgNVHQ4EFgQUAYykprRREVfHTieJVsjbF6N0wj0wHwYDVR0j
BBgwFoAUAYykprRREVfHTieJVsjbF6N0wj0wDwYDVR0TAQH/BAUwAwEB/zAKBggq
hkjOPQQDAgNIADBFAiBUy2LGNt7BNqaYcpIo2Vd2fSlLWH9gGdcXcrWMcbXZmQIh
ALPCIQW/Ep2KFjJJudMNFx35gnFGRLsHAVl7tcZRDsxU
-----END CERTIFICATE-----
EOF
$t->write_file('writable.pem', $public{'P-256'});
chmod 0666, "$d/writable.pem";
chmod 0644, "$d/expired.pem";

my ($rc, $out) = $t->conf_test('webhook_scheme a { algorithm ecdsa-sha256;'
	. ' signature $http_x_sig encoding=base64; }'
	. ' server { location / { webhook_verify a;'
	. ' webhook_secret pem:expired.pem pem:writable.pem; } }', in => 'http');
like($out, qr/expired.pem" has a certificate that has run out/,
	'conf - certificate that has run out');
like($out, qr/writable.pem" can be written by others/,
	'conf - file that others may write');
unlike($out, qr/SHA-1|shorter than|shown by/, 'conf - no other warnings')
	or diag($out);
is($rc, 0, 'conf - warnings only');

# keys that no request can name

$t->write_file('unnamed.txt', $public{rsa} =~ s/^-.*\n|\n//gmr . "\n");
chmod 0600, "$d/unnamed.txt";

foreach my $case (
	[ 'named', 'pem:rsa.pem', 'warned' ],
	[ 'named', 'file:unnamed.txt', 'warned' ],
	[ 'named', 'pem:rsa.pem pem:ids.pem', 'none' ],
	[ 'unnamed', 'pem:rsa.pem', 'none' ],
	)
{
	my ($scheme, $sources, $want) = @$case;

	(undef, $out) = $t->conf_test('webhook_scheme unnamed { algorithm'
		. ' rsa-sha256; signature $http_x_sig encoding=base64; }'
		. ' webhook_scheme named from=unnamed { key_id $http_x_key; }'
		. " server { location / { webhook_verify $scheme;"
		. " webhook_secret $sources; } }", in => 'http');

	is($out =~ /\[emerg\]/ ? $out : $out =~ /\[warn\] .* has no key with a name/
		? 'warned' : 'none', $want, "conf - names, $scheme, $sources");
}

jwks('brief', { kty => 'oct', k => encode_base64url('x' x 16) },
	{ kty => 'oct', k => encode_base64url('x' x 15) });

foreach my $case (
	[ 'rs256', 'rsa-sha256', 0644, '' ],
	[ 'set', 'rsa-sha256', 0644, 'set.jwks can be read by everybody' ],
	[ 'set', 'hmac', 0644, 'set.jwks can be read by everybody' ],
	[ 'set', 'hmac', 0640, '' ],
	[ 'brief', 'hmac', 0600, 'key 2 is shorter than 16 bytes' ],
	)
{
	my ($name, $scheme, $mode, $want) = @$case;

	chmod $mode, "$d/$name.jwks";

	(undef, $out) = $t->conf_test("$blocks server { location / {"
		. " webhook_verify $scheme; webhook_secret jwks:$name.jwks; } }",
		in => 'http');

	my @told = $out =~ m{warn\] .*secret file "\S+/(\S+)"( can be read by \w+)};
	push @told, $out =~ /warn\] .*(key \d+) of the key file .*( is shorter .*) in/;

	is(join('', @told), $want,
		sprintf('conf - %s.jwks of mode %o, %s', $name, $mode, $scheme));
}

foreach my $case (
	[ qr/uses SHA-1/, 'algorithm rsa-sha1; signature $http_x_sig;' ],
	[ qr/uses SHA-1/, 'algorithm ecdsa-sha1; signature $http_x_sig;' ],
	[ qr/"form=raw", which is for ECDSA only/,
		'algorithm rsa-sha256; signature $http_x_sig form=raw;' ],
	[ qr/invalid parameter "form=jose"/,
		'algorithm ecdsa-sha256; signature $http_x_sig form=jose;' ],
	[ qr/"key_id" directive is duplicate/,
		'signature $http_x_sig; key_id $http_a; key_id $http_b;' ],
	[ qr/"hmac=", but its algorithm makes no MAC/, 'algorithm rsa-sha256;'
		. ' signature $http_x_sig; handshake signed post hmac=query:c;' ],
	[ qr/"key_id" directive takes no JSON/, 'signature $http_x_sig; key_id json:/kid;' ],
	[ qr/"key_id" directive takes no JSON/,
		'signature $http_x_sig; key_id $http_a json:/kid;' ],
	)
{
	my ($message, $text) = @$case;

	(undef, $out) = $t->conf_test("webhook_scheme a { $text }", in => 'http');
	like($out, $message, "conf - $text");
}

###############################################################################

# the verdict on a request, and which key was right

sub sent {
	my ($uri, $body, $sig, $id, @headers) = @_;

	my $got = judged($u, uri => $uri, body => $body, headers => [
		[ 'X-Sig', $sig ], defined $id ? [ 'X-Id', $id ] : (), @headers ]);

	# the status, the reason, what the upstream has got, the key

	my ($status, $reason, $count, $secret) = split / /, $got;

	return "$status $reason" . ($count ? ' proxied' : '') if $status != 200;
	return "200 $secret" if $count == 1;
	return $got;
}

sub by_id {
	my ($uri, $body, $sig, %opts) = @_;

	my $id = delete $opts{id} || 1;
	my $got = judged($u, uri => $uri, body => $body, %opts, headers => [
		[ 'X-Sig', encode_base64($sig, '') ], [ 'X-Id', $id ] ]);

	my ($status, $reason, $count, $secret) = split / /, $got;

	return "$status $reason" . ($count ? ' proxied' : '') if $status != 200;
	return "200 $secret" if $count == 1;
	return $got;
}

sub signature {
	my ($name, $key, $text, %opts) = @_;

	my ($hash) = $name =~ /(sha\d+)/;
	my $salt = defined $opts{salt} ? $opts{salt} : 'digest';

	return openssl('dgst', "-$hash", '-sign', "$d/$key.key",
		$name =~ /pss/ ? ('-sigopt', 'rsa_padding_mode:pss', '-sigopt',
			"rsa_pss_saltlen:$salt") : (), file($text));
}

sub file {
	my ($text) = @_;
	$t->write_file('text.bin', $text);
	return "$d/text.bin";
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

sub der {
	my ($name) = @_;
	return openssl('pkey', '-pubin', '-in', "$d/$name.pem", '-outform', 'DER');
}

sub modulus {
	my ($name) = @_;

	my ($n) = openssl('rsa', '-pubin', '-in', "$d/$name.pem", '-modulus',
		'-noout') =~ /=(\w+)/;

	return hex64($n);
}

sub hex64 {
	return encode_base64url(pack 'H*', $_[0]);
}

sub jwks {
	my ($name, @keys) = @_;
	$t->write_file("$name.jwks", JSON::PP->new()->canonical()->encode(
		{ keys => \@keys }));
}

sub read_file {
	my ($name) = @_;
	return $t->read_file($name);
}

###############################################################################
