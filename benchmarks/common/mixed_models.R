# Fit the case with one of R's mixed-model packages: Rscript mixed_models.R <program> <data> <areas> <out> <threads>
# <out> gets one row a parameter: its estimate and, where the package gives one, its standard error.
words <- commandArgs(trailingOnly = TRUE)
program <- words[1]
data <- read.csv(words[2])
areas <- read.csv(words[3])
threads <- as.integer(words[5])

fixed <- grep("^x[0-9]+$", names(data), value = TRUE)
groups <- setdiff(names(data), c("y", fixed))
for (g in groups) {
  levels <- sort(unique(c(data[[g]], areas[[g]])))
  data[[g]] <- factor(data[[g]], levels)
  areas[[g]] <- factor(areas[[g]], levels)
}

package <- c(glmer0 = "lme4", glmer1 = "lme4", glmmTMB = "glmmTMB", bam = "mgcv")[[program]]
if (!requireNamespace(package, quietly = TRUE)) stop("the R package ", package, " is not installed")
suppressPackageStartupMessages(library(package, character.only = TRUE))

formula_with <- function(terms) as.formula(paste("y ~", paste(c(fixed, terms), collapse = " + ")))
bars <- formula_with(sprintf("(1 | %s)", groups))

cost <- NULL
timed <- function(fitting) {  # predictions are not part of the time
  started <- proc.time()
  fit <- fitting
  cost <<- proc.time() - started
  fit
}

fit_lme4 <- function(points) {
  fit <- timed(glmer(bars, data, binomial, nAGQ = points))
  sds <- sapply(VarCorr(fit), function(v) sqrt(v[1, 1]))
  slopes <- cbind(fixef(fit), sqrt(diag(as.matrix(vcov(fit, use.hessian = FALSE)))))
  eta <- predict(fit, areas, allow.new.levels = TRUE)
  list(slopes = slopes, sds = sds[groups], eta = cbind(eta, NA))
}

fit_glmmTMB <- function() {
  fit <- timed(glmmTMB(bars, data, binomial, control = glmmTMBControl(parallel = threads)))
  sds <- sapply(VarCorr(fit)$cond, function(v) sqrt(v[1, 1]))
  slopes <- cbind(fixef(fit)$cond, sqrt(diag(vcov(fit)$cond)))
  eta <- predict(fit, areas, allow.new.levels = TRUE, se.fit = TRUE)
  list(slopes = slopes, sds = sds[groups], eta = cbind(eta$fit, eta$se.fit))
}

fit_bam <- function() {
  smooth <- formula_with(sprintf("s(%s, bs = 're')", groups))
  fit <- timed(bam(smooth, binomial, data, discrete = TRUE, nthreads = threads, drop.unused.levels = FALSE))
  # a random effect's penalty is the identity: its variance is scale / smoothing parameter
  sds <- setNames(sqrt(fit$sig2 / fit$sp), groups)
  kept <- seq_len(length(fixed) + 1)
  slopes <- cbind(coef(fit)[kept], sqrt(diag(fit$Vp)[kept]))
  eta <- predict(fit, areas, se.fit = TRUE, discrete = FALSE)
  list(slopes = slopes, sds = sds, eta = cbind(eta$fit, eta$se.fit))
}

found <- switch(program,
  glmer0 = fit_lme4(0L), glmer1 = fit_lme4(1L), glmmTMB = fit_glmmTMB(), bam = fit_bam()
)
peak <- NA
if (file.exists("/proc/self/status")) {
  line <- grep("^VmHWM", readLines("/proc/self/status"), value = TRUE)
  peak <- as.numeric(gsub("[^0-9]", "", line)) / 1024
}

row <- function(parameter, mean, sd = NA) data.frame(parameter = parameter, mean = as.numeric(mean), sd = as.numeric(sd))
write.csv(rbind(
  row(c("intercept", sprintf("beta[%s]", fixed)), found$slopes[, 1], found$slopes[, 2]),
  row(sprintf("sd[%s]", groups), found$sds),
  row(sprintf("eta[%s]", areas$area), found$eta[, 1], found$eta[, 2]),
  row("wall", cost[["elapsed"]]),
  row("cpu", cost[["user.self"]] + cost[["sys.self"]]),
  row("peak_mib", peak),
  row(paste(package, packageVersion(package)), NA)
), words[4], row.names = FALSE)
