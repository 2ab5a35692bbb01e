package main

import (
	"strings"

	"github.com/Masterminds/sprig/v3"
)

// What of sprig a template may call: the functions that Kratos allows for configured templates, without keys, certificates, ciphers and
// password hashes: a mail needs none of them, and some cost seconds. A list of what is allowed, so that a new version adds nothing unread.
const safeNames = `
	abbrev abbrevboth add add1 add1f addf adler32sum ago all any append atoi b32dec b32enc b64dec b64enc base biggest camelcase cat ceil
	chunk clean coalesce compact concat contains deepCopy deepEqual default dict dig dir div divf duration durationRound empty ext fail
	first float64 floor fromJson get has hasKey hasPrefix hasSuffix hello indent initial initials int int64 isAbs join kebabcase keys
	kindIs kindOf last list lower max maxf merge mergeOverwrite min minf mod mul mulf mustAppend mustChunk mustCompact mustDateModify
	mustDeepCopy mustFirst mustFromJson mustHas mustInitial mustLast mustMerge mustMergeOverwrite mustPrepend mustPush mustRegexFind
	mustRegexFindAll mustRegexMatch mustRegexReplaceAll mustRegexReplaceAllLiteral mustRegexSplit mustRest mustReverse mustSlice
	mustToDate mustToJson mustToPrettyJson mustToRawJson mustUniq mustWithout must_date_modify nindent nospace omit osBase osClean osDir
	osExt osIsAbs pick pluck plural prepend push quote randInt regexFind regexFindAll regexMatch regexQuoteMeta regexReplaceAll
	regexReplaceAllLiteral regexSplit repeat replace rest reverse round semver semverCompare seq set sha1sum sha256sum sha512sum shuffle
	slice snakecase sortAlpha split splitList splitn squote sub subf substr swapcase ternary title toDate toDecimal toJson toPrettyJson
	toRawJson toString toStrings trim trimAll trimPrefix trimSuffix trimall trunc tuple typeIs typeIsLike typeOf uniq unixEpoch unset
	until untilStep untitle upper urlJoin urlParse values without wrap wrapWith`

func safeFunctions() map[string]any {
	all := sprig.GenericFuncMap()
	safe := map[string]any{}
	for _, name := range strings.Fields(safeNames) {
		safe[name] = all[name]
	}
	return safe
}
