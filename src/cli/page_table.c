/* SPDX-License-Identifier: Apache-2.0 */
/* page_table - the rows of the feature table. src/imaging/README.md says more of each; the tests there hold them to it. */
#include "cli/pages.h"

#include <stddef.h>

const cli_page cli_pages[] = {
    {"parcels", "regional series", "parcels", "--features timeseries", "statistic mask resample resample-image interpolation min-coverage definition", "that of the image",
     "Statistic (mean, median, sum, least, greatest, population SD or variance) of the finite voxels of each region in each volume. Every region of the "
     "label table keeps its column, n/a when it has no voxel. Coverage is the share of a region's voxels that took part.",
     "Definition of the mean over a set; integers are summed exactly before scaling.",
     "nilearn NiftiLabelsMasker 0.14 drops a label without voxels, so that later columns move, and counts a missing voxel as 0 "
     "(--definition nilearn). XCP-D's coverage is of the resampled atlas: what lies beyond the image's edge does not count."},
    {"parcels-maps", "amounts of overlapping or probabilistic regions", "parcels", NULL, "maps mask resample resample-image interpolation min-coverage definition",
     "that of the image over that of the weights",
     "The amounts x that minimise ||W x - y|| over the voxels y of a volume in the mask, W the weight maps. A voxel that is missing in a volume leaves its "
     "equations. A map that is a combination of others is refused by name.",
     "Least squares, as in dual regression: Beckmann et al. (2009), doi:10.1016/S1053-8119(09)71511-3.",
     "nilearn NiftiMapsMasker counts missing voxels as 0 and gives the shortest of many answers when maps depend on one another."},
    {"clean", "confound regression and filtering", "clean", NULL,
     "confounds columns confound-scale filter order high-pass low-pass detrend polort cenmode runs standardize censor censor-fd censor-dvars censor-unsteady min-run ends fill definition",
     "standard deviations, percent, or that of the series",
     "One linear operator: censored frames become cubic splines of the kept ones, a line leaves, a Butterworth filter of order 5 runs forwards and "
     "backwards, censored frames leave, the confounds' projection leaves, the result is scaled. A censored value never enters.",
     "Lindquist et al. (2019), doi:10.1002/hbm.24528, for why one operator; Power et al. (2014), doi:10.1016/j.neuroimage.2013.08.048, for censoring; order of "
     "steps as nilearn's signal.clean.",
     "nilearn 0.14 interpolates a censored frame only if its mirrored frame is kept, and drops every cosine drift when one correlates above 0.9 with a "
     "confound: --definition nilearn. XCP-D filters at order 2, padded with end values: --definition xcpd. 3dTproject makes the filter part of the "
     "regression: --definition afni. 3dBandpass cuts a padded transform: --definition 3dbandpass. fslmaths -bptf takes off a local line: --definition fsl."},
    {"connectivity", "region by region matrices", "connectivity", "--features connectivity (or partial, covariance, precision); group --tangent", "kind shrinkage fisher-z", "1, or that of the series squared",
     "Pearson r; covariance with divisor n; precision, its inverse; partial correlation -P_ij / sqrt(P_ii P_jj); tangent, log(M^-1/2 C M^-1/2) with M the "
     "geometric mean of the covariances. Fisher z is atanh r. Nothing is shrunk unless asked for: without enough frames partial and precision are refused.",
     "Ledoit & Wolf (2004), doi:10.1016/S0047-259X(03)00096-4; Varoquaux et al. (2010), doi:10.1007/978-3-642-15705-9_25.",
     "nilearn shrinks \"correlation\" by Ledoit and Wolf unless told otherwise; its 0.14.1 does not z-score first when standardize is \"zscore_sample\"."},
    {"alff", "amplitude of low-frequency fluctuations", "voxelwise", "--features alff", "band tr mask scale definition", "that of the series",
     "Mean over the band of the one-sided amplitude spectrum, A_m = 2 |X_m| / T, X the Fourier transform of the series less its mean, bins from "
     "ceil(low T TR) to floor(high T TR).",
     "Zang et al. (2007), doi:10.1016/j.braindev.2006.07.002.",
     "AFNI 3dRSFC sums 2 / sqrt(T) |X| of a padded, detrended series; C-PAC takes the SD of the band-passed series; XCP-D multiplies by sqrt(2) and leaves out "
     "the last bin; CONN takes the root mean square of a window on the cosine transform. Each is a --definition."},
    {"falff", "fractional ALFF", "voxelwise", "--features falff", "band tr mask scale definition", "1",
     "Sum of the amplitude over the band divided by the sum over all frequencies above 0 and below Nyquist.",
     "Zou et al. (2008), doi:10.1016/j.jneumeth.2008.04.012.",
     "AFNI divides by the sum of the detrended series, C-PAC by the SD of the series as it came, CONN by the root mean square of the demeaned series; XCP-D has "
     "none."},
    {"reho", "regional homogeneity", "voxelwise", "--features reho", "neighbours mask scale definition", "1, from 0 to 1",
     "Kendall's W of a voxel's series with those of its 6, 18 or 26 neighbours, corrected for ties: W = (12 sum R^2 - 3 k^2 n (n + 1)^2) / (k^2 n (n^2 - 1) - k "
     "sum T). Only voxels in the mask take part.",
     "Zang et al. (2004), doi:10.1016/j.neuroimage.2003.12.030; Kendall & Gibbons (1990), Rank Correlation Methods.",
     "AFNI's 3dReHo tied values whose integer parts were equal, until August 2026, and lost much of W on scaled series; C-PAC rounds mean ranks up and does not "
     "correct for ties; XCP-D does not correct for ties. Each is a --definition."},
    {"lcor", "local correlation", "voxelwise", "--features lcor", "fwhm mask definition", "1, from -1 to 1",
     "Mean correlation of a voxel with the voxels around it, itself included, weighted by a Gaussian of full width 25 mm cut at 4 SD, over voxels in the mask.",
     "Deshpande et al. (2009), doi:10.1002/hbm.20482.",
     "CONN cuts at 3 SD, reflects at the image's edges, and lets voxels outside the mask count with r = 0, which lowers the rim of the brain: --definition conn."},
    {"vmhc", "voxel-mirrored homotopic connectivity", "voxelwise", "--features vmhc", "mask definition", "1, from -1 to 1",
     "Correlation of a voxel with the voxel at -x. A grid that is not symmetric about x = 0 mm is refused.",
     "Zuo et al. (2010), doi:10.1523/JNEUROSCI.2612-10.2010.",
     "C-PAC turns the array round whatever the affine says, and gives Fisher's z: --definition cpac."},
    {"gcor", "global correlation", "voxelwise", "--features gcor", "mask", "1, from -1 to 1",
     "Mean correlation of a voxel with all voxels of the mask, itself among them; the mean of all pairs is said in the sidecar. It is the product of the "
     "voxel's unit series with the mean unit series: no pair is formed.",
     "Saad et al. (2013), doi:10.1089/brain.2013.0156.",
     "CONN makes its map from at most 64 components of a singular value decomposition; this is the whole."},
    {"degree", "degree centrality", "voxelwise", "--features degree", "threshold two-sided mask definition", "voxels",
     "Number of other voxels whose correlation with a voxel is above the threshold, decided in float64 wherever float32 could err.",
     "Buckner et al. (2009), doi:10.1523/JNEUROSCI.5062-08.2009.",
     "AFNI takes a line off each series first (--definition afni); C-PAC calls AFNI; CONN takes correlations from a truncated decomposition."},
    {"weighted-degree", "weighted degree centrality", "voxelwise", "--features weighted-degree", "threshold two-sided mask definition", "1",
     "Sum of the correlations with other voxels that are above the threshold (of their sizes when two-sided).", "Zuo et al. (2012), doi:10.1093/cercor/bhr269.",
     "As for degree."},
    {"strength", "strength", "voxelwise", "--features strength", "mask definition", "1",
     "Sum of the correlations of a voxel with all others. With s the sum of the unit series it is u . s - 1: no pair is formed.",
     "Rubinov & Sporns (2010), doi:10.1016/j.neuroimage.2009.10.003.", "AFNI 3dTcorrMap takes a line off each series first: --definition afni."},
    {"mean-r", "mean correlation", "voxelwise", "--features mean-r", "mask definition", "1", "Strength divided by the number of other voxels.",
     "Definition of the mean.", "3dTcorrMap -Mean takes a line off first. GCOR counts the voxel itself too."},
    {"mean-z", "mean Fisher z", "voxelwise", "--features mean-z", "mask definition", "1",
     "Mean over the other voxels of atanh r, |r| held at 1 - 2^-20.", "Fisher (1915), doi:10.2307/2331838.",
     "3dTcorrMap -Zmean gives tanh of the mean of log((1.0001 + r) / (1.0001 - r)) / 2: --definition afni."},
    {"rms", "root mean square correlation", "voxelwise", "--features rms", "mask definition", "1",
     "Root of the mean over the other voxels of r squared, from the frames by frames Gram matrix: no pair is formed.",
     "Definition of the root mean square.", "3dTcorrMap -Qmean takes a line off each series first: --definition afni."},
    {"eigenvector", "eigenvector centrality", "voxelwise", "--features eigenvector", "mask definition", "1, of length 1",
     "Eigenvector of the largest eigenvalue of the matrix r + 1, from a matrix of frames by frames.",
     "Lohmann et al. (2010), doi:10.1371/journal.pone.0010232; Wink et al. (2012), doi:10.1089/brain.2012.0087.",
     "3dECM stops its power iteration at a step of 1e-3, which leaves more than rounding: --definition afni."},
    {"seed", "seed correlation maps", "voxelwise", "--features seed --place X,Y,Z", "place radius seed-atlas labels fisher-z mask", "1",
     "Correlation of every voxel with the mean series of the voxels of a region, or within a radius of a place in mm. The seed stays in its own map.",
     "Biswal et al. (1995), doi:10.1002/mrm.1910340409.", "A seed that covers no voxel is refused here, by name; elsewhere it can give a map of zeros."},
    {"nearest", "most similar voxels", "voxelwise", "--features nearest", "top mask", "1",
     "The k other voxels with the largest correlation, by correlation and then by place, decided in float64 wherever float32 could err.",
     "Definition of the k nearest neighbours.", "Approximate searches lose neighbours at ties; this is exact."},
    {"tsnr", "temporal signal to noise ratio", "voxelwise", "--features tsnr", "mask", "1",
     "Mean over frames divided by the population SD, n/a where the SD is not above 1e-3.", "Murphy et al. (2007), doi:10.1016/j.neuroimage.2006.09.032.",
     "nipype and MRIQC divide by the SD of the detrended series when asked; some tools give 0 or infinity where a voxel does not vary."},
    {"quality", "motion, DVARS, coverage and a verdict", "quality", "--features quality", "motion fd radius fd-threshold std-dvars-threshold fd-mean outliers tsnr coverage-min mask atlas",
     "mm, 1",
     "Framewise displacement: sum |d trans| + 50 mm sum |d rot| (Power), or sqrt(|b|^2 + 80^2 / 5 tr(M'M)) (Jenkinson). DVARS: root mean square over voxels of "
     "the change from the frame before, also standardised by what autocorrelated noise would give. The verdict is the worst of stated thresholds.",
     "Power et al. (2012), doi:10.1016/j.neuroimage.2011.10.018; Jenkinson et al. (2002), doi:10.1006/nimg.2002.1132; Nichols (2017), arXiv:1704.01469.",
     "The first frame has no displacement: here and in fMRIPrep n/a, in XCP-D 0."},
    {"contrast", "two groups, effect size and p", "contrast", NULL, "design contrast covariates n mask", "standard deviations",
     "Hedges' g = J t sqrt(1/n1 + 1/n2) with its SE, covariates held fixed; two-sided permutation p by Freedman and Lane, corrected by the largest |t|.",
     "Hedges (1981), doi:10.3102/10769986006002107; Freedman & Lane (1983), doi:10.1080/07350015.1983.10509354; Westfall & Young (1993).",
     "Peers give t alone, or d without the small-sample factor J; counts without + 1 give p of 0."},
    {"glm", "general linear model, first and second level", "glm", "--features glm",
     "contrast events design confounds columns hrf derivatives drift high-pass drift-order slice-time-ref noise scale leave-outside centre definition",
     "percent of the mean over time, or that of the data",
     "Least squares of every voxel on events convolved with a response, drifts and confounds, with white errors or errors of first order; t and F of "
     "contrasts, effect, SE and z. Runs are joined with the inverse of their variance.",
     "Friston et al. (1998), doi:10.1006/nimg.1997.0306; Glover (1999), doi:10.1006/nimg.1998.0419; Worsley et al. (2002), doi:10.1006/nimg.2001.0933.",
     "nilearn 0.14 moves an event long before the run to its beginning, gives a number for a contrast that cannot be estimated, and ends z at 37: "
     "--definition nilearn."},
    {"permute", "permutation inference", "permute", "group --permute N",
     "design contrast columns n shuffle exchange whole statistic cluster-p cluster-threshold connectivity extent height positive tail fdr mask", "p",
     "t or F under shuffles of rows, signs or whole blocks of the residuals on the nuisance; p = (1 + reached) / (1 + n), exact when all distinct shuffles are "
     "used; corrected by the largest statistic, cluster size, cluster mass or TFCE; false discovery rate; generalised Pareto tail on request.",
     "Winkler et al. (2014), doi:10.1016/j.neuroimage.2014.01.060; Winkler et al. (2016), doi:10.1016/j.neuroimage.2016.05.068.",
     "nilearn's permuted_ols draws other shuffles for another n_jobs and turns a two-group test into sign flips when a constant is among the confounds; PALM "
     "reads its table of the tail's fit at one shape."},
    {"tfce", "threshold-free cluster enhancement", "tfce", NULL, "connectivity extent height unit positive mask definition", "that of the map to H + 1, times extent to E",
     "Integral over height of extent^E height^H, extent that of the component that holds the voxel, exact: a tree of components gives every level.",
     "Smith & Nichols (2009), doi:10.1016/j.neuroimage.2008.03.061; Salembier et al. (1998), doi:10.1109/83.663500.",
     "nilearn sums 100 steps without their width (--definition nilearn); FSL and PALM take 100 steps; Workbench is exact, with its extent in mm3."},
    {"suvr", "standardised uptake value ratio", "pet", "--features pet --pet-model suvr", "reference window frames weights mask", "1",
     "Activity over the window divided by that of the reference region, each frame times its duration.", "Definition; error by the ratio estimator, Cochran (1977).",
     "Means of frame ratios, or unweighted frames, give other numbers when frames differ in length."},
    {"srtm", "simplified reference tissue model", "pet", "--features pet --pet-model srtm", "reference frames weights k2a-range mask", "1, and 1/min for rates",
     "C = R1 C_R + (k2 - R1 k2a) C_R (x) exp(-k2a t), k2a = k2 / (1 + BP_ND): BP_ND, R1, k2, k2a with standard errors, from 100 values of k2a and Gauss-Newton "
     "steps, the convolution exact for the straight-line reference curve.",
     "Lammertsma & Hume (1996), doi:10.1006/nimg.1996.0066; Gunn et al. (1997), doi:10.1006/nimg.1997.0303.",
     "One package hands weights to a fitter that takes standard deviations, which turns them round; another adds the convolution up on 1,024 steps."},
    {"mrtm", "multilinear reference tissue models", "pet", "--features pet --pet-model mrtm", "reference frames weights k2-prime mask", "1, and 1/min for rates",
     "C = k2 int C_R - k2a int C + R1 C_R by weighted least squares; mrtm2 with k2' = k2 / R1 given. BP_ND = k2 / k2a - 1.",
     "Ichise et al. (2003), doi:10.1097/01.WCB.0000085441.37552.CA.", "Some peers call the coefficient k2a by the name k2."},
    {"logan", "Logan reference plot", "pet", "--features pet --pet-model logan", "reference frames weights t-star k2-prime mask", "1",
     "Slope of int C / C on (int C_R + C_R / k2') / C from t* on: the distribution volume ratio, BP_ND = DVR - 1.",
     "Logan et al. (1996), doi:10.1097/00004647-199609000-00008.", "Without k2' its term is left out, here and in peers."},
    {"patlak", "Patlak reference plot", "pet", "--features pet --pet-model patlak", "reference frames weights t-star mask", "1/min",
     "Slope of C / C_R on int C_R / C_R from t* on: the net influx against the reference region.", "Patlak & Blasberg (1985), doi:10.1038/jcbfm.1985.87.",
     "Unweighted fits give late, noisy frames too much weight."},
    {"radiomics", "intensity, shape and texture of a region", "radiomics", "--features radiomics", "label bin-width bins aggregation definition shift", "see the feature",
     "116 features: intensity and histogram, shape from a marching-cubes mesh, GLCM, GLRLM, GLSZM, GLDM, NGTDM, each with the code of its definition.",
     "Zwanenburg et al. (2020), doi:10.1148/radiol.2020191145; reference manual arXiv:1612.07003.",
     "PyRadiomics begins its bins at multiples of the width, keeps 3 in the kurtosis, and swaps inside and outside in part of its mesh: --definition "
     "pyradiomics gives its numbers."},
    {"resample", "an image on another grid", "resample", "--resample-to IMAGE", "to voxel interpolation outside overshoot", "that of the image",
     "Value at each voxel centre of the new grid: cubic B-spline, straight lines or the nearest voxel. Missing voxels stay missing.",
     "Unser et al. (1993), doi:10.1109/78.193221.", "The same as nilearn's resample_img and SciPy's affine_transform, but that missing voxels are kept."},
    {"smooth", "Gaussian smoothing", "smooth", "--fwhm MM", "fwhm mask definition", "that of the image",
     "Gaussian of the given full width at half maximum along the image's axes, cut at 4 SD; missing voxels have no weight and stay missing.",
     "Definition; normalised convolution, Knutsson & Westin (1993), doi:10.1109/CVPR.1993.341081.",
     "nilearn takes missing voxels as 0, which lowers what is around them: --definition nilearn."},
    {"nearest-cases", "nearest subjects with their diagnoses", "similar cases", NULL,
     "people diagnosis query metric features missing confounds regress site exchange n bootstrap least", "1",
     "Distance of z-scored features, Euclidean or 1 - cosine, each subject left out of means, scales and the regression of confounds; its quantile among all "
     "pairs; diagnoses among the nearest beside their base rate. Checked by balanced accuracy and AUROC of the shares against diagnoses permuted, each site "
     "left out, and the confounds alone. No diagnosis is predicted.",
     "Cover & Hart (1967), doi:10.1109/TIT.1967.1053964; Golland & Fischl (2003), doi:10.1007/978-3-540-45087-0_28; Brodersen et al. (2010), "
     "doi:10.1109/ICPR.2010.764.",
     "scikit-learn's KNeighborsClassifier gives a label, settles ties by the order of rows or of labels, and leaves it to the user to fit scalers without "
     "whom they are applied to."},
    {NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL},
};
