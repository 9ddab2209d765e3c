#!/usr/bin/perl

# (C) ngx_http_webhook_module contributors

# Tests for the links of the documentation: each file and each heading that a
# page links to is there, and each page can be reached from README.md.

###############################################################################

use warnings;
use strict;

use Test::More tests => 3;

BEGIN { use FindBin; chdir($FindBin::Bin); }

use lib 'lib';
use Test::Nginx;

###############################################################################

my $root = $Test::Nginx::ROOT;

my @pages = map { substr $_, length("$root/") }
	grep { -f } "$root/README.md", "$root/DEVELOPMENT.md",
	glob("$root/docs/*.md");

my (%anchors, %linked, @broken);
my $links = 0;

$anchors{$_} = anchors($_) foreach @pages;

foreach my $page (@pages) {
	my ($dir) = $page =~ m!^(.*/)!;

	foreach my $link (links($page)) {
		next if $link =~ /^https?:/;

		my ($file, $anchor) = $link =~ /^([^#]*)(?:#(.+))?$/;
		my $path = $file eq '' ? $page : ($dir || '') . $file;

		1 while $path =~ s!(?:^|(?<=/))[^/.][^/]*/\.\./!!;

		$links++;
		$linked{$path} = 1;

		push @broken, "$page: $link" unless -e "$root/$path"
			and !defined $anchor || $anchors{$path}{$anchor};
	}
}

cmp_ok($links, '>', 100, 'links are found');
is(join("\n", @broken), '', 'what they point to is there');
is(join(' ', grep { !$linked{$_} } @pages[1 .. $#pages]), '',
	'all pages are linked to');

###############################################################################

# a page without what is shown as code

sub text {
	my ($page) = @_;

	return project_text($page) =~ s/^ {4}.*\n//gmr;
}

sub links {
	my ($page) = @_;
	return text($page) =~ /\]\(([^)\s]+)\)/g;
}

# the names that GitHub makes of headings

sub anchors {
	my ($page) = @_;

	my %anchors;

	foreach my $title (text($page) =~ /^#+ (.*)$/mg) {
		(my $name = lc $title) =~ s/[^\w\- ]//g;
		$name =~ tr/ /-/;

		my $n = $anchors{$name}++;
		$anchors{"$name-$n"}++ if $n;
	}

	return \%anchors;
}

###############################################################################
