#!/usr/bin/perl

# (C) ngx_http_webhook_module contributors

# Tests for the table of event keys, alone: unit/table.c is compiled with it
# and compares a random history with a model, fills it, moves its clock past
# the ends of 32 bits, copies it while it is used, and looks at it as a killed
# process leaves it.  TEST_NGINX_SEED repeats a history.

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

my $dir = tempdir('nginx-table-XXXXXXXXXX', TMPDIR => 1, CLEANUP => 1);

my @includes = map { "-I$_" } (map { "$obj/tree/src/$_" } qw! core event
	event/modules event/quic os/unix !), $obj, "$root/src", glob("$root/src/*/");

my @flags = ('-g', '-O2', '-Wall', '-Wextra', '-Werror',
	'-Wno-unused-parameter');
push @flags, '-fsanitize=address,undefined', '-fno-sanitize-recover=undefined'
	if $sanitize;

# some of its histories leave memory behind

$ENV{ASAN_OPTIONS} = join ':', grep { defined } $ENV{ASAN_OPTIONS},
	'detect_leaks=0';

my %tests = (
	model => 'a million random operations and a model',
	small => 'the same, too small for all ids',
	claims => 'nothing but claims',
	tokens => 'tokens start over',
	load => '40000 live ids in a megabyte',
	wrap => 'times past 2038 and 2106',
	copy => 'copies of other sizes',
	marks => 'an image kept by marks',
	adversary => 'ids that were chosen spread too',
	busy => 'copies of a table in use',
	killed => 'a process killed anywhere',
	back => 'a clock set back',
	late => 'accepted when the claim is another one\'s',
	owed => 'done, and owed to others',
	layout => 'sizes and offsets',
);

plan(tests => 1 + keys %tests);

###############################################################################

my $out = `$cc @flags @includes -o $dir/table unit/table.c 2>&1`;

is($out, '', 'compiled') or BAIL_OUT('unit/table.c does not compile');

my $seed = defined $ENV{TEST_NGINX_SEED} ? $ENV{TEST_NGINX_SEED}
	: int(rand(1 << 30));

note("seed $seed");

foreach my $name (sort keys %tests) {
	my @lines = split /\n/, `$dir/table $seed $name 2>&1`;

	if ($ENV{TEST_NGINX_VERBOSE}) {
		diag($_) foreach grep { /^#/ } @lines;
	}

	is(join("\n", grep { !/^#/ } @lines), 'ok', $tests{$name})
		or diag("TEST_NGINX_SEED=$seed");
}

if ($ENV{TEST_NGINX_VERBOSE}) {
	diag($_) foreach grep { /^#/ } split /\n/, `$dir/table $seed curve`;
}

###############################################################################
