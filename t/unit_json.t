#!/usr/bin/perl

# (C) ngx_http_webhook_module contributors

# Tests for the JSON parser, alone: unit/json.c is compiled with it, gives it
# documents that yajl needs most memory for, and compares what it takes for
# UTF-8 with a decoder.  TEST_NGINX_SEED repeats what is random.

###############################################################################

use warnings;
use strict;

use Test::More;

BEGIN { use FindBin; chdir($FindBin::Bin); }

use Cwd qw/ abs_path /;
use File::Temp qw/ tempdir /;

###############################################################################

select STDERR; $| = 1;
select STDOUT; $| = 1;

my $root = abs_path('..');
my $sanitize = $ENV{TEST_NGINX_SANITIZE};

my $cc = $ENV{CC} || 'cc';
plan(skip_all => 'no C compiler') if system("$cc --version >/dev/null 2>&1");

# where the module was built for some nginx, its headers are

my ($obj) = sort { (stat $b)[9] <=> (stat $a)[9] }
	grep { !$sanitize == !m!/obj-sanitize/! }
	glob("$root/build/obj-*/ngx_auto_config.h");

plan(skip_all => 'no nginx headers, the module was not built here')
	unless defined $obj;

$obj =~ s!/[^/]+$!!;

my $dir = tempdir('nginx-json-XXXXXXXXXX', TMPDIR => 1, CLEANUP => 1);

my @includes = map { "-I$_" } (map { "$obj/tree/src/$_" } qw! core event
	event/modules event/quic os/unix !), $obj, "$root/src", glob("$root/src/*/");

my @flags = ('-g', '-O2', '-Wall', '-Wextra', '-Werror',
	'-Wno-unused-parameter');
push @flags, '-fsanitize=address,undefined', '-fno-sanitize-recover=undefined'
	if $sanitize;

# the parser's pool is nobody's

$ENV{ASAN_OPTIONS} = join ':', grep { defined } $ENV{ASAN_OPTIONS},
	'detect_leaks=0';

my %tests = (
	memory => 'yajl asks for no more memory than it has',
	utf8 => 'UTF-8',
);

plan(tests => 1 + keys %tests);

###############################################################################

my $out = `$cc @flags @includes -o $dir/json unit/json.c -lyajl 2>&1`;

is($out, '', 'compiled') or BAIL_OUT('unit/json.c does not compile');

my $seed = defined $ENV{TEST_NGINX_SEED} ? $ENV{TEST_NGINX_SEED}
	: int(rand(1 << 30));

foreach my $name (sort keys %tests) {
	my $text = `$dir/json $seed $name 2>&1`;

	is($text . ($? & 127 ? 'signal ' . ($? & 127) : ''), "ok\n",
		$tests{$name})
		or diag("TEST_NGINX_SEED=$seed");
}

###############################################################################
