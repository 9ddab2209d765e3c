#!/usr/bin/perl

# (C) ngx_http_webhook_module contributors

# Tests for the header of the signature: what stands for a digest and what does
# not, one or many of them, in one line or more.  Whatever is refused leaves no
# trace, and all of it looks the same from outside.

###############################################################################

use warnings;
use strict;

use Test::More;

BEGIN { use FindBin; chdir($FindBin::Bin); }

use lib 'lib';
use Test::Nginx;
use Test::Nginx::Webhook;

use MIME::Base64 qw/ decode_base64 encode_base64 /;

###############################################################################

select STDERR; $| = 1;
select STDOUT; $| = 1;

my $t = Test::Nginx->new()->has(qw/http proxy map/)->has_faketime()
	->plan(175);

my $secret = 'a secret of the signature test';
my $now = 1764000000;

$t->write_file_expand('nginx.conf', <<'EOF');

%%TEST_GLOBALS%%

events {
}

http {
    %%TEST_GLOBALS_HTTP%%

    webhook_dedup_zone  zone=events:1m;

    map $http_x_tenant $tenant {
        known  "a secret of the signature test";
    }

    webhook_scheme bare {
        signature  $http_x_signature;
        signed     "$http_x_id.$request_body";
        event_id   $http_x_id;
    }

    webhook_scheme prefix from=bare {
        signature  $http_x_signature prefix=sha256=;
    }

    webhook_scheme base64 from=bare {
        signature  $http_x_signature encoding=base64;
    }

    webhook_scheme base64url from=bare {
        signature  $http_x_signature encoding=base64url;
    }

    webhook_scheme list from=bare {
        signature  $http_x_signature separator=, prefix=v1=;
    }

    webhook_scheme plain-list from=bare {
        signature  $http_x_signature separator=,;
    }

    webhook_scheme list64 from=bare {
        signature  $http_x_signature "separator= " prefix=v1, encoding=base64;
    }

    webhook_scheme two from=bare {
        signature  $http_x_signature $http_x_second;
    }

    webhook_scheme second from=bare {
        signature  $http_x_signature separator=, item=2;
    }

    webhook_scheme from-second from=bare {
        signature  $http_x_signature separator=, item=2-;
    }

    webhook_scheme groups from=bare {
        timestamp  $http_x_signature "group=;" separator=, prefix=t=;
        signature  $http_x_signature "group=;" separator=, prefix=v1=;
        tolerance  5m;
        signed     "$http_x_id.$webhook_timestamp.$request_body";
    }

    webhook_scheme timed from=bare {
        timestamp  $http_x_timestamp;
        tolerance  5m;
        signed     "$http_x_id.$http_x_timestamp.$request_body";
    }

    webhook_scheme json-timed from=bare {
        timestamp  json:/ts;
        tolerance  5m;
    }

    large_client_header_buffers  4 32k;

    webhook_secret  "a secret of the signature test";
    webhook_dedup   zone=events key=signature;

    server {
        listen       127.0.0.1:8080;
        server_name  localhost;

        add_header  X-Verdict  "$webhook_status $webhook_reason"  always;
        add_header  X-Secret   "$webhook_secret_index"  always;

%%LOCATIONS%%

        location /rotation {
            webhook_verify  plain-list;
            webhook_secret  "the first secret of eight" "the second of eight"
                            "the third secret of eight" "the fourth of eight";
            webhook_secret  "the fifth secret of eight" "the sixth of eight"
                            "the seventh of the eight"  "the eighth of eight";
            proxy_pass      http://127.0.0.1:8081;
        }
    }

    server {
        listen       127.0.0.1:8080;
        server_name  same;

        webhook_verify  timed;

        location / {
            proxy_pass  http://127.0.0.1:8081;
        }

        location /list {
            webhook_verify  list;
            proxy_pass      http://127.0.0.1:8081;
        }

        location /json {
            webhook_verify  json-timed;
            proxy_pass      http://127.0.0.1:8081;
        }

        location /tenant {
            webhook_secret  $tenant;
            proxy_pass      http://127.0.0.1:8081;
        }
    }
}

EOF

my @schemes = qw/ bare prefix base64 base64url list plain-list list64 two
	second from-second groups /;

(my $conf = $t->read_file('nginx.conf'))
	=~ s!%%LOCATIONS%%!join '', map { <<"EOF" } @schemes!e;
        location = /$_ {
            webhook_verify  $_;
            proxy_pass      http://127.0.0.1:@{[ port(8081) ]};
        }

EOF

$t->write_file('nginx.conf', $conf);

my $u = upstream(8081);

$t->clock($now)->run();

my $body = '{"id":"of no importance"}';
my $ids = 0;

# what may be called missing, or not well-formed

my $none = qr/missing_signature|malformed_signature/;
my $bad = qr/malformed_signature/;

###############################################################################

# no digest

foreach my $scheme (qw/ bare prefix base64 list two /) {
	refused("$scheme: absent", $scheme, 'missing_signature', sub { [] });
	refused("$scheme: empty", $scheme, $none, sub { '' });
	refused("$scheme: spaces", $scheme, $none, sub { "  \t " });
}

refused('prefix only', 'prefix', $bad, sub { 'sha256=' });
refused('list: prefix only', 'list', $bad, sub { 'v1=' });
refused('list: prefixes only', 'list', $bad, sub { 'v1=,v1=,v1=' });
refused('list64: prefix only', 'list64', $bad, sub { 'v1,' });
refused('list: separators only', 'list', $none, sub { ',, ,' });
refused('plain-list: separators only', 'plain-list', $none, sub { ',,' });
refused('part of the prefix', 'prefix', $none, sub { 'sha256' });

# hex

passes('hex', 'bare', sub { hex_of(@_) });
passes('upper case', 'bare', sub { uc hex_of(@_) });
passes('mixed case', 'bare', sub { my $i = 0; join '',
	map { $i++ % 2 ? uc : lc } split //, hex_of(@_) });
passes('spaces around', 'bare', sub { '  ' . hex_of(@_) . "  " });
passes('with its prefix', 'prefix', sub { 'sha256=' . hex_of(@_) });

foreach my $scheme (qw/ bare prefix list /) {
	my $p = $scheme eq 'list' ? 'v1=' : $scheme eq 'prefix' ? 'sha256='
		: '';

	foreach my $n (62, 32, 2) {
		refused("$scheme: cut to $n", $scheme,
			qr/malformed_signature|signature_mismatch/,
			sub { $p . substr(hex_of(@_), 0, $n) });
	}

	refused("$scheme: a byte too long", $scheme,
		qr/malformed_signature|signature_mismatch/,
		sub { $p . hex_of(@_) . '00' });
	refused("$scheme: odd length", $scheme, $bad,
		sub { $p . substr(hex_of(@_), 0, 63) });
	refused("$scheme: a digit too long", $scheme, $bad,
		sub { $p . hex_of(@_) . '0' });
	refused("$scheme: 0x", $scheme, $bad, sub { $p . '0x' . hex_of(@_) });
	refused("$scheme: not hex", $scheme, $bad, sub {
		(my $s = hex_of(@_)) =~ s/.$/g/; $p . $s });
	refused("$scheme: space inside", $scheme, $bad, sub {
		(my $s = hex_of(@_)) =~ s/^(.{32})/$1 /; $p . $s });
	refused("$scheme: quoted", $scheme, $bad,
		sub { $p . '"' . hex_of(@_) . '"' });
	refused("$scheme: percent", $scheme, $bad, sub {
		(my $s = hex_of(@_)) =~ s/^(.)/sprintf '%%%02x', ord($1)/e;
		$p . $s });
	refused("$scheme: base64", $scheme, $bad,
		sub { $p . base64_of(@_) });
}

refused('space after the prefix', 'prefix', $bad,
	sub { 'sha256= ' . hex_of(@_) });
refused('tab after the prefix', 'prefix', $bad,
	sub { "sha256=\t" . hex_of(@_) });
refused('prefix in upper case', 'prefix', $none,
	sub { 'SHA256=' . hex_of(@_) });
refused('no prefix', 'prefix', $none, sub { hex_of(@_) });
refused('other algorithm', 'prefix', $none, sub { 'sha1=' . hex_of(@_) });
refused('prefix twice', 'prefix', $bad,
	sub { 'sha256=sha256=' . hex_of(@_) });
refused('prefix that is none', 'bare', $bad,
	sub { 'sha256=' . hex_of(@_) });

# base64

passes('base64', 'base64', sub { base64_of(@_) });
passes('base64url', 'base64url', sub { url(base64_of(@_)) });

foreach my $scheme (qw/ base64 base64url /) {
	my $e = $scheme eq 'base64' ? sub { $_[0] } : \&url;
	my $padded = sub { my $s = $e->(base64_of(@_)); $s =~ s/=*$/=/; $s };
	my $bare = sub { my $s = $padded->(@_); $s =~ s/=$//; $s };

	refused("$scheme: padding missing", $scheme, $bad, $bare)
		if $scheme eq 'base64';
	refused("$scheme: padding too long", $scheme, $bad,
		sub { $padded->(@_) . '=' });
	refused("$scheme: trailing bits", $scheme, $bad, sub {
		my $s = $bare->(@_);
		$s =~ s/(.)$/trailing($1)/e;
		$s . ($scheme eq 'base64' ? '=' : '') });
	refused("$scheme: space inside", $scheme, $bad, sub {
		(my $s = $padded->(@_)) =~ s/^(.{20})/$1 /; $s });
	refused("$scheme: in upper case", $scheme,
		qr/malformed_signature|signature_mismatch/,
		sub { uc $padded->(@_) });
	refused("$scheme: hex", $scheme, $bad, sub { hex_of(@_) });
	refused("$scheme: text behind", $scheme, $bad,
		sub { $padded->(@_) . 'AAAA' });

	# a digest that has one of the two characters that differ

	refused("$scheme: other alphabet", $scheme, $bad,
		sub { $scheme eq 'base64' ? url_keep(base64_of(@_))
			: do { (my $s = base64_of(@_)) =~ s/=$//; $s } },
		sub { base64_of(@_) =~ m![+/]! });
}

# the header twice

my %twice = (
	'right and wrong' => sub { [ $_[0], $_[1] ] },
	'wrong and right' => sub { [ $_[1], $_[0] ] },
	'the same' => sub { [ $_[0], $_[0] ] },
	'right and empty' => sub { [ $_[0], '' ] },
	'empty and right' => sub { [ '', $_[0] ] },
);

foreach my $name (sort keys %twice) {
	foreach my $scheme (qw/ bare prefix /) {
		my $p = $scheme eq 'bare' ? '' : 'sha256=';

		refused("$scheme twice: $name", $scheme, $bad,
			sub { $twice{$name}->($p . hex_of(@_),
				$p . ('00' x 32)) });
	}

	passes("list twice: $name", 'list', sub {
		$twice{$name}->('v1=' . hex_of(@_), 'v1=' . '00' x 32) });
}

refused('comma-joined', 'bare', $bad,
	sub { hex_of(@_) . ', ' . '00' x 32 });
refused('comma-joined, the same', 'bare', $bad,
	sub { hex_of(@_) . ',' . hex_of(@_) });

# lists

foreach my $list (
	[ 'list', ',', 'v1=', \&hex_of, '00' x 32 ],
	[ 'list64', ' ', 'v1,', \&base64_of, encode_base64("\0" x 32, '') ])
{
	my ($scheme, $sep, $p, $good, $no) = @$list;

	passes("$scheme: alone", $scheme, sub { $p . $good->(@_) });
	passes("$scheme: first", $scheme,
		sub { join $sep, $p . $good->(@_), $p . $no });
	passes("$scheme: second", $scheme,
		sub { join $sep, $p . $no, $p . $good->(@_), $p . $no });
	passes("$scheme: after others", $scheme,
		sub { join $sep, 'v0' . $p . $no, 'v2' . $p . $no,
			'x', $p . $good->(@_) });
	passes("$scheme: beside malformed ones", $scheme,
		sub { join $sep, $p, $p . 'zz', $p . substr($no, 0, 8),
			$p . $good->(@_), $p . '!' });
	passes("$scheme: last of 16", $scheme,
		sub { join $sep, ($p . $no) x 15, $p . $good->(@_) });
	refused("$scheme: last of 17", $scheme, 'too_many_signatures',
		sub { join $sep, ($p . $no) x 16, $p . $good->(@_) });
	refused("$scheme: first of 17", $scheme, 'too_many_signatures',
		sub { join $sep, $p . $good->(@_), ($p . $no) x 16 });
	passes("$scheme: last of 64", $scheme,
		sub { join $sep, ('x=y') x 63, $p . $good->(@_) });
	refused("$scheme: last of 65", $scheme, 'too_many_signatures',
		sub { join $sep, ('x=y') x 64, $p . $good->(@_) });
	refused("$scheme: others only", $scheme, $none,
		sub { join $sep, 'v2' . $p . $good->(@_), 'v0=' });
	refused("$scheme: malformed ones only", $scheme, $bad,
		sub { join $sep, $p . 'zz', $p . substr($good->(@_), 0, -1) });
	refused("$scheme: wrong ones only", $scheme, 'signature_mismatch',
		sub { join $sep, ($p . $no) x 3 });
	passes("$scheme: empty parts", $scheme,
		sub { $sep . $sep . $p . $good->(@_) . $sep . $sep });
	passes("$scheme: spaces around", $scheme,
		sub { join " $sep ", $p . $no, $p . $good->(@_), '' });
}

passes('list: 16 in 16 lines', 'list', sub {
	[ ('v1=' . '00' x 32) x 15, 'v1=' . hex_of(@_) ] });
refused('list: 17 in 17 lines', 'list', 'too_many_signatures', sub {
	[ ('v1=' . '00' x 32) x 16, 'v1=' . hex_of(@_) ] });
refused('list: very many', 'list', 'too_many_signatures', sub {
	join ',', ('v1=00') x 1500, 'v1=' . hex_of(@_) });
refused('list: spaces round the equals sign', 'list', $none,
	sub { 'v1 = ' . hex_of(@_) });
refused('list: other version with the digest', 'list', $none,
	sub { 'v1a=' . hex_of(@_) });

# two sources

{
	my $scheme = "two";
	my $second = \&hex_of;
	my $wrong = "00" x 32;

	passes("$scheme: the first alone", $scheme, sub { hex_of(@_) });
	passes("$scheme: the second alone", $scheme, sub { [] },
		sub { $second->(@_) });
	passes("$scheme: both", $scheme, sub { hex_of(@_) },
		sub { $second->(@_) });
	passes("$scheme: the second right", $scheme, sub { '00' x 32 },
		sub { $second->(@_) });
	passes("$scheme: the first right", $scheme, sub { hex_of(@_) },
		sub { $wrong });
	refused("$scheme: both wrong", $scheme, 'signature_mismatch',
		sub { '00' x 32 }, undef, sub { $wrong });
	refused("$scheme: the second twice", $scheme, $bad,
		sub { hex_of(@_) }, undef,
		sub { [ $second->(@_), $second->(@_) ] });
}

# by position

my $zero = '00' x 32;

passes('second item', 'second', sub { join ',', 'x', hex_of(@_) });
refused('first item, second wanted', 'second', $none,
	sub { hex_of(@_) });
refused('third item, second wanted', 'second', 'signature_mismatch',
	sub { join ',', 'x', $zero, hex_of(@_) });

passes('from the second item', 'from-second',
	sub { join ',', 'x', hex_of(@_) });
passes('the third, from the second', 'from-second',
	sub { join ',', 'x', $zero, hex_of(@_) });
refused('the first, from the second', 'from-second', 'signature_mismatch',
	sub { join ',', hex_of(@_), $zero });

# groups: each digest is of its own timestamp

my $g = sub { my ($id, $ts) = @_; "t=$ts,v1=" . unpack 'H*',
	hmac('sha256', $secret, "$id.$ts.$body") };
my $swap = sub { my ($s) = @_; $s =~ s/t=(\d+)(.*)t=(\d+)/t=$3$2t=$1/; $s };

passes('one group', 'groups', sub { $g->($_[0], $now) });
passes('the other order', 'groups',
	sub { join ',', reverse split /,/, $g->($_[0], $now) });
passes('two groups', 'groups',
	sub { $g->($_[0], $now) . ';' . $g->($_[0], $now - 1) });
passes('the second group', 'groups',
	sub { "t=" . ($now - 1) . ",v1=$zero;" . $g->($_[0], $now) });
passes('the first group', 'groups',
	sub { $g->($_[0], $now) . ";t=" . ($now - 1) . ",v1=$zero" });
passes('the last of four groups', 'groups', sub { join ';',
	(map { "t=" . ($now - $_) . ",v1=$zero" } 1 .. 3),
	$g->($_[0], $now) });
passes('two digests in a group', 'groups', sub { my $s = $g->($_[0], $now);
	$s =~ s/,/,v1=$zero,/; $s });
refused('crossed groups', 'groups', 'signature_mismatch',
	sub { $swap->($g->($_[0], $now) . ';' . $g->($_[0], $now - 1)) });
refused('five groups', 'groups', qr/too_many_signatures|$bad/, sub {
	join ';', $g->($_[0], $now),
		map { "t=" . ($now - $_) . ",v1=$zero" } 1 .. 4 });
refused('five groups, the last is right', 'groups',
	qr/too_many_signatures|$bad/, sub {
	join ';', (map { "t=" . ($now - $_) . ",v1=$zero" } 1 .. 4),
		$g->($_[0], $now) });
refused('timestamp in one group, digest in another', 'groups',
	qr/missing_timestamp|malformed_timestamp|$none/,
	sub { (my $s = $g->($_[0], $now)) =~ s/,/;/; $s });
refused('a digest of a stale timestamp beside a fresh one', 'groups',
	qr/stale_timestamp|signature_mismatch/,
	sub { $g->($_[0], $now - 301) . ";t=$now,v1=$zero" });

# several secrets

my @secrets = map { "the $_ of eight" } 'first secret', 'second',
	'third secret', 'fourth', 'fifth secret', 'sixth', 'seventh', 'eighth';
$secrets[6] = 'the seventh of the eight';

foreach my $i (1 .. 8) {
	passes("secret $i", 'rotation', sub { join ',', $zero,
		hex_of($_[0], $secrets[$i - 1]) }, undef, $i);
}

refused('a secret that is not configured', 'rotation', 'signature_mismatch',
	sub { hex_of($_[0], 'the ninth secret of eight') }, undef, undef,
	sub { hex_of($_[0], $secrets[0]) });

# from outside all refusals are the same

my %answers;
my $stale = $now - 301;
my $ahead = $now + 301;

foreach my $case (
	[ 'missing', '/' ],
	[ 'malformed', '/', [ 'X-Signature', 'x' ] ],
	[ 'mismatch', '/', [ 'X-Signature', $zero ] ],
	[ 'twice', '/', [ 'X-Signature', [ $zero, $zero ] ] ],
	[ 'too many', '/list', [ 'X-Signature', join ',', ("v1=$zero") x 17 ] ],
	[ 'no timestamp', '/', [ 'X-Signature', $zero ],
		[ 'X-Timestamp', [] ] ],
	[ 'malformed timestamp', '/', [ 'X-Signature', $zero ],
		[ 'X-Timestamp', '1x' ] ],
	[ 'stale', '/', [ 'X-Signature', $zero ], [ 'X-Timestamp', $stale ] ],
	[ 'future', '/', [ 'X-Signature', $zero ], [ 'X-Timestamp', $ahead ] ],
	[ 'no id', '/', [ 'X-Signature', $zero ], [ 'X-Id', [] ] ],
	[ 'malformed id', '/', [ 'X-Signature', $zero ], [ 'X-Id', 'a.b' ] ],
	[ 'unknown tenant', '/tenant', [ 'X-Signature', $zero ] ],
	[ 'stale in the body', '/json', [ 'X-Signature', unpack 'H*',
		hmac('sha256', $secret, qq!same.{"ts":"$stale"}!) ] ],
	[ 'nothing in the body', '/json', [ 'X-Signature', unpack 'H*',
		hmac('sha256', $secret, qq!same.{"tx":"$stale"}!) ] ])
{
	my ($name, $uri, @headers) = @$case;
	my %given = map { $_->[0] => 1 } @headers;

	push @headers, [ 'X-Id', 'same' ] unless $given{'X-Id'};
	push @headers, [ 'X-Timestamp', $now ] unless $given{'X-Timestamp'};

	my $text = $name eq 'nothing in the body' ? qq!{"tx":"$stale"}!
		: qq!{"ts":"$stale"}!;

	foreach my $keepalive (0, 1) {
		my $r = request(host => 'same', uri => $uri, body => $text,
			headers => [ @headers ], keepalive => $keepalive);

		(my $raw = $r->{raw}) =~ s/^Date: .*\r\n//m;
		push @{$answers{"$keepalive $raw"}}, $name;
	}
}

is(scalar keys %answers, 2, 'all refusals are the same')
	or diag(explain(\%answers));
is(join(' ', map { /^. HTTP\S+ (\d+)/ } keys %answers), '401 401',
	'status of refusals');

###############################################################################

# once, and then it is a duplicate; with another body it is refused

sub passes {
	my ($name, $scheme, $code, $second, $index) = @_;

	my %req = event($scheme, $code, $second);

	is(join('; ', got(%req, body => "$body "), got(%req), got(%req)),
		'401 REJECTED signature_mismatch 0; 200 PASSED 1 '
		. ($index || 1) . '; 200 DUPLICATE already_delivered 0',
		$name);
}

# refused, and not remembered: the genuine event passes, once

sub refused {
	my ($name, $scheme, $reason, $code, $if, $second, $good) = @_;

	my %req = event($scheme, $code, $second, $if);
	my %good = event($scheme, $good || {
		'prefix' => sub { 'sha256=' . hex_of(@_) },
		'base64' => sub { base64_of(@_) },
		'base64url' => sub { url(base64_of(@_)) },
		'list' => sub { 'v1=' . hex_of(@_) },
		'list64' => sub { 'v1,' . base64_of(@_) },
		'second' => sub { 'x,' . hex_of(@_) },
		'from-second' => sub { 'x,' . hex_of(@_) },
		'groups' => sub { $g->($_[0], $now) },
	}->{$scheme} || sub { hex_of(@_) }, undef, undef, $req{id});

	like(join('; ', got(%req), got(%good), got(%good)),
		qr/^401\ REJECTED\ (?:$reason)\ 0;\ 200\ PASSED\ 1\ 1;
		\ 200\ DUPLICATE\ already_delivered\ 0$/x, $name);
}

sub event {
	my ($scheme, $code, $second, $if, $id) = @_;

	$id = 'event-' . ++$ids unless defined $id;

	# some need a digest of a certain look

	if ($if) {
		$id = 'event-' . ++$ids until $if->($id);
	}

	my $value = $code->($id);

	return (id => $id, uri => "/$scheme", body => $body, headers => [
		[ 'X-Id', $id ],
		[ 'X-Signature', $value ],
		$second ? [ 'X-Second', $second->($id) ] : ()
	]);
}

sub got {
	return judged($u, @_);
}

sub digest {
	my ($id, $key) = @_;
	return hmac('sha256', defined $key ? $key : $secret, "$id.$body");
}

sub hex_of {
	return unpack 'H*', digest(@_);
}

sub base64_of {
	return encode_base64(digest(@_), '');
}

# without padding, as base64url is mostly written

sub url {
	my ($s) = @_;
	$s =~ tr!+/!-_!;
	$s =~ s/=+$//;
	return $s;
}

sub url_keep {
	my ($s) = @_;
	$s =~ tr!+/!-_!;
	return $s;
}

# the same bits, and one more that is not of the digest

sub trailing {
	my ($c) = @_;

	my $set = join '', 'A' .. 'Z', 'a' .. 'z', 0 .. 9;
	my $at = index "$set+/", $c;
	$at = index "$set-_", $c if $at < 0;

	return substr "$set+/", $at | 1, 1;
}

###############################################################################
