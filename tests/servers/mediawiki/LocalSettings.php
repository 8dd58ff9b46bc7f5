<?php
# The settings of every copy of the test wiki. What differs between copies comes from the environment
# (ORDITO_WIKI_DATA, ORDITO_WIKI_L10N, ORDITO_WIKI_SERVER) and from settings.json in the data folder, which
# is read again on every request, so that a test can switch something while the server runs.
if ( !defined( 'MEDIAWIKI' ) ) {
	exit;
}
$orditoData = getenv( 'ORDITO_WIKI_DATA' );

$wgSitename = 'TestWiki';
$wgMetaNamespace = 'Project';
# PHP's own server picks the port, so only the request knows it; scripts on the command line are told.
$wgServer = isset( $_SERVER['HTTP_HOST'] )
	? 'http://' . $_SERVER['HTTP_HOST'] : ( getenv( 'ORDITO_WIKI_SERVER' ) ?: 'http://127.0.0.1' );
$wgScriptPath = '';
$wgArticlePath = '/index.php?title=$1';
$wgResourceBasePath = '';
$wgLanguageCode = 'en';
$wgLocaltimezone = 'UTC';
$wgDefaultSkin = 'fallback';
$wgSecretKey = str_repeat( '0123456789abcdef', 4 );
$wgUpgradeKey = '0123456789abcdef';
$wgAuthenticationTokenVersion = '1';

# Storage: SQLite, one file per concern, so that sessions and jobs never lock the wiki itself.
# The wiki's own entry has no trxMode: MediaWiki then begins DEFERRED for GET and IMMEDIATE for POST, which
# keeps several workers from "database is locked" without making readers queue.
$wgDBtype = 'sqlite';
$wgDBname = 'wiki';
$wgSQLiteDataDir = $orditoData;
$wgDBservers = [ [
	'type' => 'sqlite', 'host' => 'db1', 'dbname' => 'wiki', 'user' => '', 'password' => '',
	'tablePrefix' => '', 'load' => 1, 'flags' => DBO_DEFAULT, 'variables' => [ 'synchronous' => 'OFF' ],
] ];
$orditoSideDatabase = static function ( $name ) use ( $orditoData ) {
	return [
		'type' => 'sqlite', 'dbname' => $name, 'dbDirectory' => $orditoData, 'tablePrefix' => '',
		'trxMode' => 'IMMEDIATE', 'flags' => 0, 'variables' => [ 'synchronous' => 'OFF' ],
	];
};
$wgObjectCaches[CACHE_DB] = [
	'class' => SqlBagOStuff::class, 'loggroup' => 'SQLBagOStuff', 'server' => $orditoSideDatabase( 'wikicache' ),
];
$wgObjectCaches['db-replicated'] = [
	'factory' => 'Wikimedia\ObjectFactory\ObjectFactory::getObjectFromSpec',
	'args' => [ [ 'factory' => 'ObjectCache::getInstance', 'args' => [ CACHE_DB ] ] ],
];
$wgJobTypeConf['default'] = [
	'class' => 'JobQueueDB', 'claimTTL' => 3600, 'server' => $orditoSideDatabase( 'wiki_jobqueue' ),
];
# Caches that the command line sees too, and that are put back together with the wiki.
$wgMainCacheType = CACHE_DB;
$wgMessageCacheType = CACHE_DB;
$wgSessionCacheType = CACHE_DB;
$wgParserCacheType = CACHE_NONE;
$wgLocalisationCacheConf['store'] = 'array';
$wgLocalisationCacheConf['storeDirectory'] = getenv( 'ORDITO_WIKI_L10N' );
$wgCacheDirectory = $orditoData;
$wgTmpDirectory = $orditoData;
$wgUploadDirectory = "$orditoData/images";
$wgInvalidateCacheOnLocalSettingsChange = false;

# Nothing leaves the machine and nothing runs behind the test's back.
$wgPingback = false;
$wgEnableUploads = false;
$wgEnableEmail = false;
$wgUseInstantCommons = false;
$wgEnableDnsBlacklist = false;
$wgBlacklistSettings = [ 'spam' => [ 'files' => [] ], 'email' => [ 'files' => [] ] ];
$wgJobRunRate = 0;
$wgForceDeferredUpdatesPreSend = true; # a read after a write sees all of its effects, except its jobs
$wgDiff3 = '/usr/bin/diff3';

# The behaviour of a wiki in use rather than of a fresh one.
$wgAutoConfirmAge = 4 * 86400;
$wgAutoConfirmCount = 10;
$wgRCMaxAge = 30 * 365 * 86400;        # changes that a test dates years back must survive
$wgRCWatchCategoryMembership = true;
$wgGroupPermissions['sysop']['deleterevision'] = true;
$wgGroupPermissions['sysop']['deletelogentry'] = true;
$wgReadOnlyFile = "$orditoData/read-only";
$wgShowExceptionDetails = true;
$wgShowHostnames = true;

# Accounts come and go quickly; a test that wants limits switches them on.
$wgRateLimits = [];
$wgPasswordAttemptThrottle = [];
$wgAccountCreationThrottle = 0;
$wgPasswordDefault = 'B';              # salted MD5: a login then costs no time
foreach ( [ 'default', 'bureaucrat', 'sysop', 'interface-admin', 'bot' ] as $orditoGroup ) {
	$wgPasswordPolicy['policies'][$orditoGroup] = [ 'MinimalPasswordLength' => 1 ];
}

# The switches: keys that start with wg replace settings; `extensions` loads some; `lag` reports that many
# seconds of replication lag (SQLite has none of its own); `private` lets members alone read.
$orditoSwitches = is_file( "$orditoData/settings.json" )
	? json_decode( file_get_contents( "$orditoData/settings.json" ), true ) : [];
foreach ( $orditoSwitches as $orditoName => $orditoValue ) {
	if ( strncmp( $orditoName, 'wg', 2 ) === 0 ) {
		$GLOBALS[$orditoName] = $orditoValue;
	}
}
foreach ( $orditoSwitches['extensions'] ?? [] as $orditoExtension ) {
	wfLoadExtension( $orditoExtension );
}
if ( $orditoSwitches['private'] ?? false ) {
	$wgGroupPermissions['*']['read'] = false;
}
if ( isset( $orditoSwitches['lag'] ) ) {
	$wgHooks['ApiMaxLagInfo'][] = static function ( &$lagInfo ) use ( $orditoSwitches ) {
		$lagInfo = [ 'host' => 'db1', 'lag' => $orditoSwitches['lag'], 'type' => 'db' ];
	};
}
# Mail, when a test sets wgEnableEmail, is written to mail.jsonl and goes nowhere else.
$wgHooks['AlternateUserMailer'][] = static function ( $headers, $to, $from, $subject, $body ) use ( $orditoData ) {
	file_put_contents( "$orditoData/mail.jsonl", json_encode( [
		'to' => array_map( 'strval', $to ), 'from' => (string)$from, 'subject' => $subject,
		'body' => is_array( $body ) ? $body : (string)$body,
	] ) . "\n", FILE_APPEND | LOCK_EX );
	return false;
};
