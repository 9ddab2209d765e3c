#!/usr/bin/perl

# (C) ngx_http_webhook_module contributors

# Tests for the syntax file of vim: it knows all directives, and the lines of
# blocks, and vim shows them as such.

###############################################################################

use warnings;
use strict;

use Test::More tests => 3;

BEGIN { use FindBin; chdir($FindBin::Bin); }

use lib 'lib';
use Test::Nginx;

use File::Temp qw/ tempdir /;

###############################################################################

my $root = $Test::Nginx::ROOT;

my $code = project_text('ngx_http_webhook_module.c src/*.c src/*/*.c');
my $syntax = project_text('contrib/vim/after/syntax/nginx.vim');

my %shown = map { $_ => 1 } $syntax =~ /^syn keyword ngxDirective\w+ (\w+)/mg,
	$syntax =~ /^syn match ngxDirective\w+ '\^\\s\*\\zs(\w+)\\ze/mg;

my @directives = $code =~ /\{ ngx_string\("(webhook_\w+)"\),\s+NGX_\w+_CONF\|/g;
my @lines = $code =~ /\{ ngx_string\("(\w+)"\), .*_line \}/g;

cmp_ok(@directives * @lines, '>', 100, 'directives and lines are found');

is(join(' ', grep { !$shown{$_} } @directives, @lines), '',
	'all are in the syntax file');

SKIP: {
	my ($nginx) = glob('/usr/share/vim/vim*/syntax/nginx.vim');

	skip 'no vim found', 1
		if !defined $nginx or system('vim --version >/dev/null 2>&1');

	is(plain(), '', 'all are shown by vim');
}

###############################################################################

# The names that vim, which is asked for the group of the first letter of each
# line, does not show as directives.

sub plain {
	my $dir = tempdir(CLEANUP => 1);

	my @blocks = grep { /^webhook_(?:scheme|store)$/ } @directives;
	my @names = ((map { "$_ x {" } @blocks), map { "    $_ x;" }
		grep { !/^webhook_(?:scheme|store)$/ } @directives, @lines);

	write_file("$dir/nginx.conf", join "\n", @names);
	write_file("$dir/ask.vim", <<"EOF");
set runtimepath+=$root/contrib/vim/after
syntax on
set filetype=nginx
let out = []
for n in range(1, line('\$'))
    let group = synIDattr(synID(n, indent(n) + 1, 1), 'name')
    if group !~# '^ngxDirective'
        call add(out, getline(n) . ' (' . group . ')')
    endif
endfor
call writefile(out, '$dir/out')
qall!
EOF

	system("cd $dir && vim -Nu NONE -i NONE -n -es -S ask.vim nginx.conf"
		. ' </dev/null >/dev/null 2>&1');

	open my $fh, '<', "$dir/out" or return 'vim did not end well';

	return join '', <$fh>;
}

sub write_file {
	my ($name, $text) = @_;

	open my $fh, '>', $name or die "$name: $!\n";
	print $fh $text;
	close $fh or die "$name: $!\n";
}

###############################################################################
